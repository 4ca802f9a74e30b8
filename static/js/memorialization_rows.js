// Rows of the data memorialization editor: channels, sources, and the small print that follows what is chosen.
const { form, catalogue, part, rowOf, fieldsOf, titleOf, changed, makeSearchable, hooks } = window.mappingEditor;
const sourcesByKey = new Map(catalogue.sources.map((source) => [source.key, source]));
const SCRIPT_VARIABLE = "script_variable";
const figure = (number) => number?.toLocaleString(document.documentElement.lang) ?? "";

hooks.isBlank = (row) => !["field", "source", "variable"].some((name) => part(row, name).value);
hooks.describe = (row) => {
  const source = sourcesByKey.get(part(row, "source").value)?.label ?? "";
  const value = row.dataset.channel === SCRIPT_VARIABLE ? part(row, "variable").value : source;
  return `${titleOf(row) || "…"} ← ${value || "…"}`;
};
hooks.controlOf = (target) => (
  target.matches("[data-source]") && rowOf(target).dataset.channel === SCRIPT_VARIABLE ? part(rowOf(target), "variable") : target
);

function sourcesOf(row) {
  const channel = row.dataset.channel;
  const ofChannel = channel && channel !== SCRIPT_VARIABLE ? [channel] : ["digital", "voice"];
  return catalogue.sources.filter((source) => source.channels.some((name) => ofChannel.includes(name)));
}

function enhanceSource(row) {
  if (!window.TomSelect) return;
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

// ---- Small print: the same tables as the server's (memorialization/mappings/row_fit.py), read from the page

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

form.addEventListener("row:field", (event) => judge(rowOf(event.target)));

form.addEventListener("row:added", (event) => {
  const row = rowOf(event.target);
  if (event.detail.before) part(row, "channel-choice").value = event.detail.before.dataset.channel;
  enhanceSource(row);
  changeChannel(row, part(row, "channel-choice").value);
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

for (const row of form.querySelectorAll("[data-row]")) enhanceSource(row);
