// Keeps an open page up to date: asks for the account's version and, when it moved, replaces the content.
// Nobody's typing is disturbed: while a form control has the focus, the page waits.
const EVERY_MS = 2500;
const body = document.body;

async function refresh() {
  if (document.hidden || (document.activeElement && document.activeElement.closest("form"))) return;
  const pulse = await (await fetch(body.dataset.pulse)).json();
  if (pulse.version === body.dataset.version) return;
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  const fresh = page.querySelector("main");
  if (!fresh) return;
  document.querySelector("main").replaceWith(fresh);
  fresh.classList.add("just-changed");
  body.dataset.version = pulse.version;
}

if (body.dataset.pulse) setInterval(() => refresh().catch(() => {}), EVERY_MS);
