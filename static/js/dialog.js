// Opens the window behind a link over the present page. The link's address works by itself when anything goes wrong.
const dialog = document.querySelector("[data-dialog-target]");

async function open(link) {
  const answer = await fetch(link.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const content = page.querySelector("[data-dialog-content]");
  if (!answer.ok || !content) throw new Error("no window at this address");
  for (const form of content.querySelectorAll("form:not([action])")) form.action = answer.url;
  dialog.replaceChildren(document.adoptNode(content));
  dialog.setAttribute("aria-labelledby", content.getAttribute("aria-labelledby") ?? "");
  dialog.showModal();
  dialog.querySelector("[autofocus], input:not([type=hidden]), select, textarea")?.focus();
  window.htmx?.process(dialog);
  document.dispatchEvent(new CustomEvent("content:added", { detail: { root: dialog } }));
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  const link = event.target.closest("a[data-dialog]");
  if (link && dialog) {
    event.preventDefault();
    open(link).catch(() => { location.href = link.href; });
    return;
  }
  if (event.target.closest("[data-dialog-close]") && dialog?.open) {
    event.preventDefault();
    dialog.close();
  }
});

// A click on the backdrop closes, unless it began inside (somebody selecting text).
let isPressOutside = false;
dialog?.addEventListener("pointerdown", (event) => { isPressOutside = event.target === dialog; });
dialog?.addEventListener("click", (event) => { if (isPressOutside && event.target === dialog) dialog.close(); });
dialog?.addEventListener("close", () => dialog.replaceChildren());
