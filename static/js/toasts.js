// Messages at the bottom right: announced politely, good news leaves by itself, warnings and errors stay until dismissed.
const STAY_MS = 6000;
const LEAVING_LEVELS = new Set(["success", "info", "debug"]);
const region = document.querySelector("[data-toasts]");
const template = document.getElementById("toast-template");

function arm(toast) {
  if (!LEAVING_LEVELS.has(toast.dataset.toast)) return;
  let timer;
  const stop = () => clearTimeout(timer);
  const start = () => { stop(); timer = setTimeout(() => toast.remove(), STAY_MS); };
  for (const name of ["mouseenter", "focusin"]) toast.addEventListener(name, stop);
  for (const name of ["mouseleave", "focusout"]) toast.addEventListener(name, start);
  start();
}

function showToast({ text, level = "info" }) {
  const pattern = template.content.querySelector(`[data-toast="${CSS.escape(level)}"]`) ?? template.content.querySelector("[data-toast]");
  const toast = pattern.cloneNode(true);
  toast.querySelector(".toast-text").textContent = text;
  region.append(toast);
  arm(toast);
}

if (region) {
  // A live region announces only what is added to it, so the server's messages are put in again.
  const waiting = [...region.children];
  region.replaceChildren();
  setTimeout(() => { region.append(...waiting); waiting.forEach(arm); }, 100);
  region.addEventListener("click", (event) => event.target.closest("[data-toast-close]")?.closest("[data-toast]").remove());
  document.addEventListener("toast", (event) => showToast(event.detail));
}
