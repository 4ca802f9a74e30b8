// Turns `<select data-searchable>` into a list one can type into; without it the plain select does the same.
const MOST_SHOWN = 500;
const nothingFound = document.documentElement.dataset.nothingFound;

function optionBody(data, escape) {
  const hint = data.hint ? `<span class="option-hint">${escape(data.hint)}</span>` : "";
  return `<div><span>${escape(data.text)}</span>${hint}</div>`;
}

function enhance(select) {
  if (select.tomselect || !window.TomSelect) return;
  const control = new window.TomSelect(select, {
    maxOptions: MOST_SHOWN,
    searchField: ["text", "hint"],
    placeholder: select.dataset.placeholder ?? "",
    allowEmptyOption: false,
    lockOptgroupOrder: true,
    sortField: [{ field: "$score", direction: "desc" }, { field: "$order" }],
    render: {
      option: optionBody,
      item: optionBody,
      no_results: (_data, escape) => `<div class="no-results">${escape(nothingFound)}</div>`,
    },
  });
  select.setAttribute("aria-hidden", "true"); // its place is taken by the control, which carries the label
  for (const name of ["aria-label", "aria-labelledby", "aria-describedby", "aria-invalid"]) {
    if (select.hasAttribute(name)) control.control_input.setAttribute(name, select.getAttribute(name));
  }
}

function enhanceAll(root) {
  if (root.matches?.("select[data-searchable]")) enhance(root);
  for (const select of root.querySelectorAll("select[data-searchable]")) enhance(select);
}

enhanceAll(document);
document.addEventListener("content:added", (event) => enhanceAll(event.detail.root));
document.addEventListener("htmx:load", (event) => enhanceAll(event.detail.elt));
