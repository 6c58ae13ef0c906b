// One cell: opening it over the gallery, going from cell to cell, and laying the evidence over the picture.

import { draw } from "./cell/evidence.js";

const dialog = document.getElementById("cell");
let evidenceShown = false; // kept from cell to cell

function article() {
  return document.querySelector(".cell");
}

function drawEvidence() {
  draw(article(), evidenceShown);
}

async function open(url) {
  const response = await fetch(url, { headers: { "HX-Request": "true", "HX-Current-URL": location.href } });
  const elsewhere = response.headers.get("HX-Redirect"); // signed out meanwhile
  if (elsewhere || !response.ok) {
    location.assign(elsewhere ?? url);
    return;
  }
  dialog.innerHTML = await response.text();
  if (!dialog.open) dialog.showModal();
  drawEvidence();
}

document.addEventListener("click", (event) => {
  const ordinary = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  const link = event.target.closest(".tile, .cell-steps a");
  if (link && dialog && ordinary) {
    event.preventDefault();
    open(link.href);
  } else if (event.target.closest("[data-close]") || event.target === dialog) {
    dialog.close();
  }
});

document.addEventListener("change", (event) => {
  if (!event.target.closest("[data-evidence-form]")) return;
  // Choosing a class asks to see its evidence.
  evidenceShown = event.target.type === "radio" || event.target.checked;
  drawEvidence();
});

document.addEventListener("keydown", (event) => {
  if (!article() || (dialog && !dialog.open) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.toLowerCase() === "e") {
    evidenceShown = !evidenceShown;
    drawEvidence();
    return;
  }
  const step = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  if (!step) return;
  event.preventDefault(); // else an arrow key would also choose another class
  article().querySelector(`.cell-steps a[rel=${step}]`)?.click();
});

dialog?.addEventListener("close", () => {
  const last = article()?.dataset.cell;
  dialog.replaceChildren();
  document.getElementById(`cell-${last}`)?.focus();
});

// Where one class is shown page by page, cells that come in are not pushed between those that are being looked at.
document.body.addEventListener("cells-changed", () => {
  if (document.querySelector("#gallery[data-class]")) document.getElementById("new-cells").hidden = false;
});
