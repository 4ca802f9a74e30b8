// Folds the navigation to icons and remembers it; closes menus when somebody clicks or tabs elsewhere;
// brings the present tab of a configuration into view.
const root = document.documentElement;
const button = document.querySelector("[data-fold-navigation]");

function showFold(isFolded) {
  const label = isFolded ? button.dataset.unfoldLabel : button.dataset.foldLabel;
  root.toggleAttribute("data-navigation", isFolded);
  if (isFolded) root.dataset.navigation = "folded";
  button.setAttribute("aria-expanded", String(!isFolded));
  button.title = label;
  button.querySelector(".navigation-label").textContent = label;
}

if (button) {
  button.hidden = false;
  showFold(root.dataset.navigation === "folded");
  button.addEventListener("click", () => {
    const isFolded = root.dataset.navigation !== "folded";
    showFold(isFolded);
    try {
      localStorage.setItem("navigation", isFolded ? "folded" : "open");
    } catch { /* storage may be forbidden; the choice then lasts for this page */ }
  });
}

function closeMenus(event) {
  for (const menu of document.querySelectorAll("details[data-closes-outside][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
}
document.addEventListener("click", closeMenus);
document.addEventListener("focusin", closeMenus);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-closes-outside][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

function centre(tab, list) {
  const place = tab.getBoundingClientRect();
  const frame = list.getBoundingClientRect();
  list.scrollLeft += place.left + place.width / 2 - (frame.left + frame.width / 2);
}
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  const list = tab.closest("ul");
  new ResizeObserver(() => centre(tab, list)).observe(list); // also once at the start
}
