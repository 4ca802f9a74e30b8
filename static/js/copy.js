// Copy buttons; they appear only where the browser lets a page write to the clipboard.
function reveal(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = button.parentElement.querySelector("[data-copy-source]");
  await navigator.clipboard.writeText(source.textContent.trim());
  document.dispatchEvent(new CustomEvent("toast", { detail: { text: button.dataset.copied, level: "success" } }));
});

reveal(document);
document.addEventListener("content:added", (event) => reveal(event.detail.root));
document.addEventListener("htmx:load", (event) => reveal(event.detail.elt));
