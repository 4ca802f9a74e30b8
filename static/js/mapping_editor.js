// What every mapping editor's script does: saves round trips. Every button works as a form without it.
// A kind of mappings adds its own script after this one and finds what it needs in `window.mappingEditor`.
const form = document.getElementById("mapping-form");
const catalogue = JSON.parse(document.getElementById("mapping-catalogue").textContent);
const fieldsByType = new Map(Object.entries(catalogue.fields).map(
  ([type, fields]) => [type, new Map(fields.map((field) => [field.k, { ...field, g: field.c ? "custom" : "standard" }]))],
));
const MOST_SHOWN = 500;
let nextNumber = 1000; // rows added here must not share a number with those of the server

const part = (row, name) => row.querySelector(`[data-${name}]`);
const rowOf = (element) => element.closest?.("[data-row]");
const cardOf = (row) => row.closest("[data-card]");
const rowsOf = (card) => [...card.querySelector("[data-rows]").children];
const fieldsOf = (row) => fieldsByType.get(cardOf(row).dataset.entityType) ?? new Map();
const say = (text) => { form.querySelector("[data-announcer]").textContent = text; };
const changed = () => form.dispatchEvent(new CustomEvent("form:changed", { bubbles: true }));
const tell = (row, name, detail) => row.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
const focusOn = (select) => (select?.tomselect ?? select)?.focus();
const titleOf = (row) => {
  const field = part(row, "field");
  return field.value ? fieldsOf(row).get(field.value)?.t ?? field.selectedOptions[0]?.textContent ?? "" : "";
};

// What a kind of mappings may know better.
const hooks = {
  isBlank: (row) => !part(row, "field").value,
  describe: (row) => titleOf(row) || "…",
  controlOf: (target) => target,
};

// ---- Searchable drop-downs: the options of an entity type are in the page once, each list takes them when opened

function body(title, hint, escape) {
  return `<div><span>${escape(title)}</span>${hint ? `<span class="option-hint">${escape(hint)}</span>` : ""}</div>`;
}

function makeSearchable(select, { list, group, known, onChange, title, hint, ...settings }) {
  const chosen = select.value;
  const text = select.selectedOptions[0]?.textContent ?? "";
  const unknown = { [settings.valueField]: chosen, [settings.labelField]: text };
  const own = (option) => ({ ...option }); // a list writes into its options, so none may be shared
  let isFilled = false;
  const control = new window.TomSelect(select, {
    ...settings,
    options: chosen ? [own(known(chosen) ?? unknown)] : [],
    items: chosen ? [chosen] : [],
    optgroups: group,
    optgroupField: "g",
    maxOptions: MOST_SHOWN,
    refreshThrottle: 0, // so that Enter takes what the typed words show
    placeholder: select.options[0].textContent,
    lockOptgroupOrder: true,
    sortField: [{ field: "$score" }, { field: "$order" }],
    onFocus() { if (!isFilled) { isFilled = true; this.addOptions(list().map(own)); } },
    onChange,
    onItemAdd() { this.wrapper.classList.remove("is-typing"); },
    onType(typed) { this.wrapper.classList.toggle("is-typing", typed !== ""); },
    onBlur() { this.wrapper.classList.remove("is-typing"); },
    render: {
      option: (data, escape) => body(title(data), hint(data), escape),
      item: (data, escape) => `<div>${escape(title(data))}</div>`,
      no_results: (_data, escape) => `<div class="no-results">${escape(form.dataset.missing)}</div>`,
    },
  });
  select.setAttribute("aria-hidden", "true"); // its place is taken by the control, which carries the label
  for (const name of ["aria-describedby", "aria-invalid"]) {
    if (select.hasAttribute(name)) control.control_input.setAttribute(name, select.getAttribute(name));
  }
  // Its own timers may speak of a focus that has moved on since; then it must not take it back.
  const opens = control.onFocus.bind(control);
  control.onFocus = (event) => { if (document.activeElement === control.control_input) opens(event); };
  control.refill = () => { isFilled = false; };
  return control;
}

function enhanceRow(row) {
  if (!window.TomSelect) return;
  makeSearchable(part(row, "field"), {
    list: () => [...fieldsOf(row).values()],
    group: ["standard", "custom"].map((value, place) => ({ value, label: catalogue.groups[place] })),
    known: (key) => fieldsOf(row).get(key),
    valueField: "k",
    labelField: "t",
    searchField: [{ field: "t", weight: 3 }, { field: "k", weight: 1 }, { field: "d", weight: 1 }],
    title: (field) => field.t,
    hint: (field) => [field.d, field.k].filter(Boolean).join(" · "),
    onChange: () => { tell(row, "row:field"); changed(); },
  });
}

// ---- Rows: add, move, remove

function isFull(card) {
  return "rowsLimit" in card.dataset && rowsOf(card).length >= Number(card.dataset.rowsLimit);
}

function count(card) {
  if (!("rowsLimit" in card.dataset)) return;
  card.querySelector("[data-rows-count]").textContent = rowsOf(card).length;
  card.querySelector("[data-add-row]").disabled = isFull(card);
}

function addRow(card, after) {
  if (isFull(card)) return;
  const number = nextNumber;
  nextNumber += 1;
  const holder = document.createElement("div");
  holder.innerHTML = card.querySelector("[data-row-template]").innerHTML.replaceAll("NEW", number);
  const row = holder.firstElementChild;
  const rows = card.querySelector("[data-rows]");
  const before = after ?? rows.lastElementChild;
  rows.insertBefore(row, after ? after.nextSibling : null);
  enhanceRow(row);
  tell(row, "row:added", { before });
  count(card);
  changed();
  focusOn(part(row, "field"));
}

function sayPlace(row) {
  const rows = [...row.parentElement.children];
  say(form.dataset.moved.replace("%(row)s", rows.indexOf(row) + 1).replace("%(count)s", rows.length));
}

function showMove(row) {
  row.classList.remove("is-moved");
  requestAnimationFrame(() => row.classList.add("is-moved"));
  sayPlace(row);
  changed();
}

function moveRow(row, by) {
  const rows = [...row.parentElement.children];
  const target = rows[rows.indexOf(row) + by];
  if (!target) return;
  const focused = document.activeElement;
  if (by < 0) target.before(row); else target.after(row);
  focused.focus();
  showMove(row);
}

function removeRow(row) {
  const card = cardOf(row);
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  say(form.dataset.removed);
  count(card);
  changed();
  focusOn(next ? part(next, "field") : card.querySelector("[data-add-row]"));
}

function removeCard(card) {
  card.remove();
  changed();
  focusOn(form.querySelector("[data-adding]"));
}

const dialog = document.getElementById("remove-dialog");

function ask(question, what, act) {
  const title = dialog.querySelector(".dialog-title");
  title.textContent = title.dataset[question];
  dialog.querySelector("[data-what]").textContent = what;
  dialog.returnValue = "";
  const back = document.activeElement;
  dialog.addEventListener("close", () => { if (dialog.returnValue === "remove") act(); else back?.focus(); }, { once: true });
  dialog.showModal();
}

function askToRemoveRow(row) {
  if (hooks.isBlank(row)) removeRow(row);
  else ask("ofRow", hooks.describe(row), () => removeRow(row));
}

// ---- Dragging, for rows with a handle: the row follows the pointer within its card

form.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest("[data-drag]");
  const row = handle && rowOf(handle);
  if (!row || event.button !== 0) return;
  event.preventDefault();
  const start = row.nextElementSibling;
  const listening = new AbortController(); // on the document: a row that moves would lose the pointer
  const on = (name, act) => document.addEventListener(name, act, { signal: listening.signal });
  row.classList.add("is-dragged");
  on("pointermove", (move) => {
    const over = [...row.parentElement.children].filter((other) => other !== row).find((other) => {
      const box = other.getBoundingClientRect();
      return move.clientY < box.top + box.height / 2;
    });
    if ((over ?? null) !== row.nextElementSibling) row.parentElement.insertBefore(row, over ?? null);
  });
  const end = () => {
    listening.abort();
    row.classList.remove("is-dragged");
    if (row.nextElementSibling !== start) showMove(row);
  };
  on("pointerup", end);
  on("pointercancel", end);
});

// ---- What people do

form.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const row = button && rowOf(button);
  if (button?.matches("[data-add-row]")) addRow(button.closest("[data-card]"));
  else if (row && button.matches("[data-move]")) moveRow(row, Number(button.dataset.move));
  else if (row && button.matches("[data-remove]")) askToRemoveRow(row);
  else if (button?.matches("[data-remove-card]")) {
    const card = button.closest("[data-card]");
    ask("ofCard", card.querySelector("[data-card-title]").textContent, () => removeCard(card));
  } else return;
  event.preventDefault();
});

form.addEventListener("keydown", (event) => {
  const row = rowOf(event.target);
  if (!row) return;
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    event.stopPropagation();
    moveRow(row, event.key === "ArrowUp" ? -1 : 1);
  } else if (event.key === "Delete" && !event.target.closest("button, summary") && !(event.target.matches("input") && event.target.value)) {
    event.preventDefault();
    event.stopPropagation();
    askToRemoveRow(row);
  }
}, { capture: true });

form.addEventListener("keydown", (event) => {
  const row = rowOf(event.target);
  if (event.key !== "Enter" || !row || event.defaultPrevented || event.isComposing) return;
  if (event.target.closest("button, summary, a")) return;
  event.preventDefault();
  addRow(cardOf(row), row);
});

form.addEventListener("click", (event) => {
  const link = event.target.closest("#problems a");
  const target = link && document.querySelector(link.getAttribute("href"));
  if (!target) return;
  event.preventDefault();
  const control = hooks.controlOf(target);
  focusOn(control);
  (control.tomselect?.wrapper ?? control).scrollIntoView({ block: "center" });
});

let isSending = false;
form.addEventListener("submit", (event) => { if (isSending) event.preventDefault(); isSending = true; });
addEventListener("pageshow", () => { isSending = false; });

// ---- The page as it arrives

window.mappingEditor = { form, catalogue, part, rowOf, fieldsOf, titleOf, changed, makeSearchable, hooks };
for (const row of form.querySelectorAll("[data-row]")) enhanceRow(row);
if ("isChanged" in form.dataset) changed();
const problems = document.getElementById("problems");
if (problems) problems.focus();
else if (form.dataset.focus) focusOn(document.getElementById(form.dataset.focus));
