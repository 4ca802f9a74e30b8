// Runs before the first paint: marks that scripts work, and gives Bootstrap the theme that the machine prefers.
(() => {
  const root = document.documentElement;
  root.classList.add("has-script");
  try {
    if (localStorage.getItem("navigation") === "folded") root.dataset.navigation = "folded";
  } catch { /* storage may be forbidden; the navigation then stays open */ }
  if (root.dataset.theme !== "auto") return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => root.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
  dark.addEventListener("change", follow);
  follow();
})();
