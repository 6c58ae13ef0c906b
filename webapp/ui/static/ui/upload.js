// Uploads thousands of files from a page. A file costs no DOM node unless it was not uploaded; then it is named with
// the reason.

import { LISTED, SAVED_WITHIN } from "./upload/limits.js";
import { walk } from "./upload/folders.js";
import { pictures } from "./upload/pictures.js";
import { announced, failures, more, notSent, said } from "./upload/progress.js";
import { Queue } from "./upload/queue.js";
import { inPlaceOf, listen, oneAlone } from "./upload/replacing.js";
import { Server } from "./upload/server.js";

const panel = document.getElementById("upload");
const part = (name) => panel.querySelector(`[data-${name}]`);

// Of which slide what is chosen now is; later choices may say another.
const slide = () => Number(part("slide")?.value) || null;

const queue = new Queue({
  server: new Server(panel.dataset, document.body.dataset),
  whyNot: pictures(panel.dataset.suffixes, panel.dataset.openings),
  show,
  caseChanged: () => document.body.dispatchEvent(new CustomEvent("case-changed")),
});

function show() {
  const { active, total, left, failed, leftOut, known, trouble } = queue;
  const told = said(queue, performance.now());
  part("progress").hidden = !active && !left && !trouble;
  part("bar").max = total;
  part("bar").value = total - left;
  part("stop").textContent = active ? gettext("Stop") : gettext("Go on");
  part("said").textContent = told;
  const aloud = announced(queue, told);
  if (part("announced").textContent !== aloud) part("announced").textContent = aloud;

  part("failures").hidden = !failed.length;
  part("failures-said").textContent = failures(failed.length);
  part("again").disabled = active;
  list(part("failures-list"), failed);

  const others = [...leftOut, ...known];
  part("others").hidden = !others.length;
  part("others-said").textContent = notSent(leftOut.length, known.length);
  part("others-more").textContent = more(others.length);
  list(part("others-list"), others);
}

function list(element, entries) {
  if (element.dataset.n === String(entries.length)) return;
  element.dataset.n = entries.length;
  element.replaceChildren(...entries.slice(0, LISTED).map(row));
}

function row({ item, why }) {
  const line = document.createElement("li");
  const name = document.createElement("span");
  name.className = "file";
  name.textContent = item.name;
  line.append(name, ` ${why}`);
  return line;
}

// All files that were not uploaded, as a text to keep.
function save() {
  const lines = [...queue.failed, ...queue.leftOut, ...queue.known].map(({ item, why }) => `${item.name}\t${why}\n`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(lines, { type: "text/plain" }));
  link.download = gettext("not-uploaded.txt");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), SAVED_WITHIN);
}

async function addDropped(entries) {
  const of = slide();
  await walk(entries, { add: (items) => queue.add(items, of), leaveOut: (item, why) => queue.leaveOut(item, why) });
  show();
}

listen((replaced, files) => {
  if (files.length === 1) {
    queue.add([inPlaceOf(replaced, files[0])]);
    return;
  }
  for (const file of files) queue.leaveOut({ file, name: file.name }, oneAlone());
  show();
});

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  document.body.classList.remove("dropping");
  // Both must be asked for at once: afterwards the event holds nothing.
  const dropped = [...event.dataTransfer.items].filter((item) => item.kind === "file");
  const entries = dropped.map((item) => item.webkitGetAsEntry());
  const bare = dropped.filter((_, i) => !entries[i]).map((item) => item.getAsFile());
  queue.add(bare.filter(Boolean).map((file) => ({ file, name: file.name })), slide());
  addDropped(entries.filter(Boolean));
});
for (const picker of panel.querySelectorAll("[data-files]")) {
  const take = () => {
    queue.add([...picker.files].map((file) => ({ file, name: file.webkitRelativePath || file.name })), slide());
    picker.value = ""; // so that the same choice may be made again
  };
  picker.addEventListener("change", take);
  if (picker.files.length) take(); // chosen while this script was still on its way
}
part("stop").addEventListener("click", () => (queue.active ? queue.stop() : queue.run()));
part("again").addEventListener("click", () => queue.again());
part("save").addEventListener("click", save);
window.addEventListener("beforeunload", (event) => {
  if (queue.active) event.preventDefault();
});
