// Sliders beside number fields: each moves the other. Without this script the fields alone are there.
for (const slider of document.querySelectorAll("input[data-dial]")) {
  const field = document.getElementById(slider.dataset.dial);
  const follow = () => {
    const value = Number(field.value.replace(",", "."));
    if (field.value.trim() !== "" && !Number.isNaN(value)) slider.value = value;
  };
  slider.hidden = false;
  follow();
  field.addEventListener("input", follow);
  slider.addEventListener("input", () => {
    field.value = slider.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
