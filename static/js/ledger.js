// Choosing rows of the list: all at once, how many, and no button without any.
const button = document.querySelector("[data-needs-tick]");
const all = document.querySelector("[data-tick-all]");

if (button) {
  const boxes = [...document.querySelectorAll(`input[name="${button.dataset.needsTick}"]`)];
  const count = button.querySelector("[data-tick-count]");
  const show = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    button.disabled = !chosen;
    count.textContent = chosen || "";
    if (!all) return;
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  };
  all?.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    show();
  });
  for (const box of boxes) box.addEventListener("change", show);
  window.addEventListener("pageshow", show); // the browser may bring ticks back
  show();
}
