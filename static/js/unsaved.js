// Says that a form holds changes nobody has saved, and asks before they are left behind.
const changed = new Set();

function mark(form, isChanged) {
  if (isChanged) changed.add(form); else changed.delete(form);
  const scope = form.closest("main") ?? document;
  for (const sign of scope.querySelectorAll("[data-unsaved-mark]")) sign.hidden = !isChanged;
}

function formOf(target) {
  const form = target.form ?? target.closest?.("form");
  return form?.matches("[data-unsaved]") ? form : null;
}

for (const name of ["input", "change"]) {
  document.addEventListener(name, (event) => { const form = formOf(event.target); if (form) mark(form, true); });
}
document.addEventListener("form:changed", (event) => { const form = formOf(event.target); if (form) mark(form, true); });
document.addEventListener("submit", (event) => { if (!event.defaultPrevented) changed.delete(event.target); });
window.addEventListener("beforeunload", (event) => { if (changed.size) event.preventDefault(); });
