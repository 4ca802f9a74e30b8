// The mapping editor: saves round trips. Every button works as a form without this script.
const form = document.getElementById("mapping-form");
const catalogue = JSON.parse(document.getElementById("mapping-catalogue").textContent);
const sourcesByKey = new Map(catalogue.sources.map((source) => [source.key, source]));
const fieldsByType = new Map(Object.entries(catalogue.fields).map(
  ([type, fields]) => [type, new Map(fields.map((field) => [field.k, { ...field, g: field.c ? "custom" : "standard" }]))],
));
const SCRIPT_VARIABLE = "script_variable";
const MOST_SHOWN = 500;
let nextNumber = 1000; // rows added here must not share a number with those of the server

const part = (row, name) => row.querySelector(`[data-${name}]`);
const rowOf = (element) => element.closest?.("[data-row]");
const cardOf = (row) => row.closest("[data-card]");
const fieldsOf = (row) => fieldsByType.get(cardOf(row).dataset.entityType) ?? new Map();
const say = (text) => { form.querySelector("[data-announcer]").textContent = text; };
const changed = () => form.dispatchEvent(new CustomEvent("form:changed", { bubbles: true }));
const focusOn = (select) => (select?.tomselect ?? select)?.focus();
const figure = (number) => number?.toLocaleString(document.documentElement.lang) ?? "";
const isBlank = (row) => !["field", "source", "variable"].some((name) => part(row, name).value);

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

function sourcesOf(row) {
  const channel = row.dataset.channel;
  const ofChannel = channel && channel !== SCRIPT_VARIABLE ? [channel] : ["digital", "voice"];
  return catalogue.sources.filter((source) => source.channels.some((name) => ofChannel.includes(name)));
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
    onChange: () => { judge(row); changed(); },
  });
  makeSearchable(part(row, "source"), {
    list: () => sourcesOf(row),
    group: [],
    known: (key) => sourcesByKey.get(key),
    valueField: "key",
    labelField: "label",
    searchField: [{ field: "label", weight: 3 }, { field: "key", weight: 1 }, { field: "print", weight: 1 }],
    title: (source) => source.label,
    hint: (source) => source.print,
    onChange: () => { judge(row); changed(); },
  });
}

function changeChannel(row, channel) {
  row.dataset.channel = channel;
  const control = part(row, "source").tomselect;
  if (control) {
    const kept = sourcesOf(row).some((source) => source.key === control.getValue());
    if (!kept) control.clear(true);
    control.clearOptions((option) => option.key === control.getValue());
    control.refill();
  }
  judge(row);
}

// ---- Small print: the same tables as the server's (memorialization/row_fit.py), read from the page

function kindOf(row) {
  if (row.dataset.channel === SCRIPT_VARIABLE) return part(row, "variable").value ? "variable" : null;
  return row.dataset.channel ? sourcesByKey.get(part(row, "source").value)?.kind : null;
}

function fitOf(field, kind) {
  if (!catalogue.plainText.includes(field.y)) return catalogue.fits[field.y][kind];
  const longest = catalogue.longest[kind];
  return field.m !== undefined && (longest === null || longest > field.m) ? "shortened" : "fits";
}

function transcriptNote(field) {
  const words = catalogue.transcript;
  if (!field) return words.need;
  const limit = field.m === undefined ? words.unlimited : words.limit.replace("%(count)s", figure(field.m));
  return [words.need, limit, catalogue.wellFormatted.includes(field.y) ? "" : words.plain].filter(Boolean).join(" ");
}

function judge(row) {
  const key = part(row, "field").value;
  const field = fieldsOf(row).get(key);
  const source = row.dataset.channel === SCRIPT_VARIABLE ? undefined : sourcesByKey.get(part(row, "source").value);
  part(row, "source-print").textContent = source?.print ?? "";
  part(row, "transcript-note").textContent = source?.isTranscript ? transcriptNote(field) : "";
  showVariableNote(row);
  if (key && !field) return; // gone or unreadable: what the server said of it stands
  const kind = kindOf(row);
  const fit = field && kind ? fitOf(field, kind) : "";
  part(row, "field-print").textContent = field?.d ?? "";
  part(row, "fit").replaceChildren(...badge(fit));
  part(row, "fit-note").textContent = fit ? catalogue.sentences[fit].replace("%(limit)s", figure(field.m)) : "";
}

function badge(fit) {
  const template = fit && document.querySelector(`template[data-fit-badge="${fit}"]`);
  return template ? [template.content.cloneNode(true)] : [];
}

function showVariableNote(row) {
  const place = part(row, "variable-note");
  const isWanted = row.dataset.channel === SCRIPT_VARIABLE;
  if (isWanted === place.childElementCount > 0) return;
  const note = document.querySelector("[data-variable-note-template]").content.cloneNode(true);
  place.replaceChildren(...(isWanted ? [note] : []));
}

// ---- Rows: add, move, remove

function addRow(card, after) {
  const number = nextNumber;
  nextNumber += 1;
  const holder = document.createElement("div");
  holder.innerHTML = card.querySelector("[data-row-template]").innerHTML.replaceAll("NEW", number);
  const row = holder.firstElementChild;
  const rows = card.querySelector("[data-rows]");
  const before = after ?? rows.lastElementChild;
  rows.insertBefore(row, after ? after.nextSibling : null);
  if (before) part(row, "channel-choice").value = before.dataset.channel;
  enhanceRow(row);
  changeChannel(row, part(row, "channel-choice").value);
  changed();
  focusOn(part(row, "field"));
}

function moveRow(row, by) {
  const rows = [...row.parentElement.children];
  const target = rows[rows.indexOf(row) + by];
  if (!target) return;
  const focused = document.activeElement;
  if (by < 0) target.before(row); else target.after(row);
  focused.focus();
  row.classList.remove("is-moved");
  requestAnimationFrame(() => row.classList.add("is-moved"));
  const place = [...row.parentElement.children].indexOf(row) + 1;
  say(form.dataset.moved.replace("%(row)s", place).replace("%(count)s", rows.length));
  changed();
}

function removeRow(row) {
  const card = cardOf(row);
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  say(form.dataset.removed);
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
  if (isBlank(row)) { removeRow(row); return; }
  const field = part(row, "field");
  const title = fieldsOf(row).get(field.value)?.t ?? field.selectedOptions[0]?.textContent ?? "";
  const source = sourcesByKey.get(part(row, "source").value)?.label ?? "";
  const value = row.dataset.channel === SCRIPT_VARIABLE ? part(row, "variable").value : source;
  ask("ofRow", `${field.value ? title : "…"} ← ${value || "…"}`, () => removeRow(row));
}

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

form.addEventListener("change", (event) => {
  const row = rowOf(event.target);
  if (row && event.target.matches("[data-channel-choice]")) changeChannel(row, event.target.value);
});

form.addEventListener("input", (event) => {
  if (!event.target.matches("[data-variable]")) return;
  const { selectionStart, value } = event.target;
  if (value !== value.toLowerCase()) {
    event.target.value = value.toLowerCase();
    event.target.setSelectionRange(selectionStart, selectionStart);
  }
  judge(rowOf(event.target));
});

form.addEventListener("click", (event) => {
  const link = event.target.closest("#problems a");
  const target = link && document.querySelector(link.getAttribute("href"));
  if (!target) return;
  event.preventDefault();
  const control = target.matches("[data-source]") && rowOf(target).dataset.channel === SCRIPT_VARIABLE
    ? part(rowOf(target), "variable") : target;
  focusOn(control);
  (control.tomselect?.wrapper ?? control).scrollIntoView({ block: "center" });
});

let isSending = false;
form.addEventListener("submit", (event) => { if (isSending) event.preventDefault(); isSending = true; });
addEventListener("pageshow", () => { isSending = false; });

// ---- The page as it arrives

for (const row of form.querySelectorAll("[data-row]")) enhanceRow(row);
if ("isChanged" in form.dataset) changed();
const problems = document.getElementById("problems");
if (problems) problems.focus();
else if (form.dataset.focus) focusOn(document.getElementById(form.dataset.focus));
