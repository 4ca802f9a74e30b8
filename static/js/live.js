// Figures that refresh themselves: not while nobody looks, nor while somebody marks text in them; what was unfolded
// stays so; and when an answer does not come, the page says that its figures are old.
const LIVE = "[data-live]";

function isBeingRead(region) {
  const chosen = document.getSelection();
  return chosen !== null && !chosen.isCollapsed && region.contains(chosen.anchorNode);
}

function markAsOld(event) {
  if (event.detail.elt.matches(LIVE)) event.detail.elt.classList.add("is-old");
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const region = event.detail.elt;
  if (region.matches(LIVE) && (document.hidden || isBeingRead(region))) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const region = event.detail.target;
  if (!region.matches(LIVE)) return;
  if (event.detail.xhr.status === 204) { region.classList.remove("is-old"); return; } // nothing has changed
  // Somebody who was signed out gets the sign-in page: that is no part of this one.
  const answer = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
  const isOurs = answer.body.firstElementChild?.id === region.id;
  if (!isOurs || event.detail.xhr.status !== 200) {
    event.detail.shouldSwap = false;
    region.classList.add("is-old");
    return;
  }
  const unfolded = [...region.querySelectorAll("details[open][id]")].map((details) => details.id);
  document.addEventListener("htmx:afterSwap", () => {
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
  }, { once: true });
});

for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(failure, markAsOld);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const region of document.querySelectorAll(LIVE)) region.dispatchEvent(new Event("refresh"));
});
