// Copies a text that stands on the page. Without this file the buttons stay hidden and the text can be selected by hand.
(function () {
  "use strict";

  function text(of) {
    return "value" in of ? of.value : of.textContent;
  }

  // Pages reached over plain HTTP from another machine have no clipboard of their own.
  function copyBySelection(source) {
    var selection = window.getSelection();
    var range = document.createRange();
    range.selectNodeContents(source);
    if ("select" in source) {
      source.select();
    } else {
      selection.removeAllRanges();
      selection.addRange(range);
    }
    return document.execCommand("copy");
  }

  function said(button, words) {
    var status = document.getElementById("copied");
    if (status) {
      status.textContent = "";
      window.setTimeout(function () { status.textContent = words; }, 50);
    }
    button.textContent = words;
    window.setTimeout(function () { button.textContent = button.dataset.label; }, 4000);
  }

  function copy(event) {
    var button = event.target.closest("[data-copy]");
    if (!button) { return; }
    var source = document.getElementById(button.dataset.copy);
    if (!source) { return; }
    function bySelection() {
      said(button, copyBySelection(source) ? button.dataset.done : button.dataset.failed);
    }
    if (navigator.clipboard && window.isSecureContext) {
      navigator.clipboard.writeText(text(source)).then(function () { said(button, button.dataset.done); }, bySelection);
    } else {
      bySelection();
    }
  }

  function show(root) {
    root.querySelectorAll("[data-copy][hidden]").forEach(function (button) {
      button.dataset.label = button.textContent;
      button.hidden = false;
    });
  }

  document.addEventListener("click", copy);
  document.addEventListener("htmx:load", function (event) { show(event.target); });
  show(document);
})();
