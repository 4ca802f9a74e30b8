// The set-up page opens the Authentication window over itself; without this script the window is a page of its own.
for (const field of document.querySelectorAll("[data-has-script]")) field.value = "1";
document.querySelector("[data-open-at-once]")?.click();
if (location.search) history.replaceState(null, "", location.pathname);
