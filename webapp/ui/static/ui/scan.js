// Barcode readers: what one types where no field has the focus goes to the page's search, and what ends with Tab is
// sent as what ends with Enter. No key by itself does anything.

import { Burst } from "./scan/burst.js";

const burst = new Burst();
const FIELDS = "input, select, textarea, [contenteditable]"; // untranslated: a selector

const send = (form) => form.requestSubmit(form.querySelector("button:not([type=button])"));

// The next field or button of the form: an identifier was read, and the rest is still to be entered.
function goOn(field) {
  const all = [...field.form.elements].filter((one) => one.type !== "hidden" && !one.disabled);
  all[all.indexOf(field) + 1]?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const read = burst.press(event.key, event.timeStamp);
  if (!read) return;
  const field = event.target.closest?.("[data-scanned]");
  if (field) {
    event.preventDefault();
    if (field.dataset.scanned === "next") goOn(field);
    else send(field.form);
    return;
  }
  const search = document.querySelector("[data-scan-home]");
  if (!search || event.target.closest?.(FIELDS) || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  search.value = read;
  search.focus();
  send(search.form);
});
