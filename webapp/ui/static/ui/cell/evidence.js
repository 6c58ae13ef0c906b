// Lays the evidence for a class over the picture of one cell.

// `code`: the class asked for; without one, the one that is chosen in the form.
export function draw(cell, isShown, code = "") {
  const form = cell.querySelector("[data-evidence-form]");
  const overlay = cell.querySelector("[data-evidence]");
  const asked = code && form.querySelector(`input[type=radio][value="${code}"]`);
  if (asked) asked.checked = true;
  form.querySelector("[data-evidence-shown]").checked = isShown;
  cell.classList.toggle("cell-evidence", isShown);
  if (!isShown) return;
  const chosen = form.querySelector("input[type=radio]:checked");
  const url = `${overlay.dataset.evidence}?cell_class=${chosen.value}`;
  if (overlay.getAttribute("href") !== url) overlay.setAttribute("href", url);
  const name = chosen.closest("label").querySelector(".probability-name");
  form.querySelector("[data-evidence-name]").textContent = name.textContent;
}
