// Says that a form's answer is being worked out. Without this file the browser's own sign is all there is.
(function () {
  "use strict";

  function show(form, isWaiting) {
    var sign = form.querySelector("[data-waiting]");
    sign.textContent = isWaiting ? sign.dataset.waiting : "";
    form.setAttribute("aria-busy", String(isWaiting));
  }

  document.addEventListener("submit", function (event) {
    if (event.target.querySelector("[data-waiting]")) { show(event.target, true); }
  });
  // A page that is gone back to comes as it was left.
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[aria-busy=true]").forEach(function (form) { show(form, false); });
  });
})();
