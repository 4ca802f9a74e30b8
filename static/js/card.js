// The customer card that updates itself: what the pointer is on stays where it is, and a change is said once.
const status = document.querySelector("[data-card-status]");
let pointer = null;
let held = null; // { key, top }: the record under the pointer before the card is replaced

document.addEventListener("pointermove", (event) => { pointer = { x: event.clientX, y: event.clientY }; }, { passive: true });
document.documentElement.addEventListener("pointerleave", () => { pointer = null; release(); });

const recordAt = (place) => place && document.elementFromPoint(place.x, place.y)?.closest("[data-record]");
const find = (key) => [...document.querySelectorAll("[data-record]")].find((record) => record.dataset.record === key);
const names = () => [...document.querySelectorAll("[data-record]")].map((record) => record.dataset.record).join(" ");

function release() {
  document.body.style.removeProperty("padding-top");
  document.body.style.removeProperty("min-height");
}

function keepInPlace() {
  const record = held && find(held.key);
  if (!record) return;
  const moved = record.getBoundingClientRect().top - held.top;
  if (Math.abs(moved) < 1) return;
  if (moved > 0) document.body.style.minHeight = `${window.innerHeight + window.scrollY + moved}px`;
  window.scrollBy(0, moved);
  const left = record.getBoundingClientRect().top - held.top;
  if (left < -1) document.body.style.paddingTop = `${-left}px`; // nothing above to scroll away
}

let before = "";
document.addEventListener("htmx:beforeSwap", () => {
  before = names();
  const record = recordAt(pointer);
  held = record ? { key: record.dataset.record, top: record.getBoundingClientRect().top } : null;
});

document.addEventListener("htmx:afterSettle", () => {
  keepInPlace();
  if (status && names() !== before) status.textContent = document.body.dataset.changed;
});
