// Giving another file in place of one that was refused or failed: chosen beside it, or dropped on it.

import { say } from "../language.js";

const ROW = "[data-replaces]";
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

// Calls `take` with the row and the files given. Comes before whoever listens for files dropped anywhere.
export function listen(take) {
  document.addEventListener("change", (event) => {
    const picker = event.target.closest(`${ROW} input[type=file]`);
    if (!picker?.files.length) return;
    const files = [...picker.files];
    picker.value = ""; // so that the same choice may be made again
    take(picker.closest(ROW), files);
  });
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event) && event.target.closest?.(ROW)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    const row = event.target.closest?.(ROW);
    if (!carriesFiles(event) || !row) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    document.body.classList.remove("dropping");
    take(row, [...event.dataTransfer.files]);
  });
}

// The item of an upload that stands for the row's file.
export const inPlaceOf = (row, file) => ({ file, name: file.name, replaces: Number(row.dataset.replaces) });

export const oneAlone = () => gettext("Give one file in place of one.");

// How it went, in words: `settled` says that the row needs no more.
export function outcome({ active, failed, leftOut, known, refused, trouble }, name) {
  if (active) return { text: say(gettext("Uploading %(name)s."), { name }), settled: false };
  const [missing] = [...failed, ...leftOut];
  if (missing) return { text: missing.why, settled: false };
  if (known.length) return { text: known[0].why, settled: false };
  if (refused) return { text: gettext("The other file was refused, too. Load the page again to see why."), settled: true };
  if (trouble) return { text: trouble, settled: false };
  return { text: say(gettext("Replaced by %(name)s, which is classified now."), { name }), settled: true };
}
