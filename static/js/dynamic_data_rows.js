// Rows of the dynamic data editor: the small print follows the field that is chosen.
const { form, part, rowOf, fieldsOf } = window.mappingEditor;

form.addEventListener("row:field", (event) => {
  const row = rowOf(event.target);
  const field = fieldsOf(row).get(part(row, "field").value);
  const print = document.createElement("span");
  print.dataset.fieldPrint = "";
  print.textContent = field?.d ?? "";
  part(row, "notes").replaceChildren(print);
});
