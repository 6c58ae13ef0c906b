// Uploads thousands of files from a page: links for a batch of files at a time, the bytes straight to the object
// store, and what has arrived handed over group by group. A file costs no DOM node unless it was not uploaded;
// then it is named with the reason. A file is what its bytes are: what the case has is not sent again.

const LINKS = 32; // files for which links are asked at a time: on a slow line more would expire before their turn
const GROUP = 64; // files handed over together: the model's batch
const POSTS = 6; // at the same time
const WAITS = [500, 1000, 2000, 4000, 8000]; // ms before each further try
const LISTED = 100; // files shown by name in each list; all are in the list that can be saved
const DIGESTED = 256 * 1024 * 1024; // bytes; a larger file is no picture that any server takes
const HEAD = 16; // bytes that tell whether a file may be a picture
const SYSTEM_FILES = new Set(["thumbs.db", "desktop.ini"]);

const panel = document.getElementById("upload");
const part = (name) => panel.querySelector(`[data-${name}]`);
const suffixes = new Set(panel.dataset.suffixes.split(" "));
const openings = new RegExp(`^(${panel.dataset.openings})`);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Refused extends Error {} // trying again would not help

// Runs `attempt` until it succeeds, is refused, or has failed too often.
async function persist(attempt, stopped = () => false) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Refused || tries >= WAITS.length || stopped()) throw error;
      await wait(WAITS[tries] * (0.5 + Math.random() / 2)); // jitter: not all at once again
    }
  }
}

async function api(url, body) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": panel.dataset.token, "X-Lab": document.body.dataset.lab },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  const message = answer?.error?.message ?? `The server answered ${response.status}.`;
  throw response.status === 429 || response.status >= 500 ? new Error(message) : new Refused(message);
}

function reason(error) {
  return error instanceof TypeError ? "The connection was lost." : error.message; // fetch throws TypeError
}

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

// The SHA-256 of a file, where the browser computes any: it does not on a page that came in plain text.
async function digest(file) {
  if (!crypto.subtle || file.size > DIGESTED) return undefined;
  return hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
}

async function isReadable(file) {
  return file.slice(0, 1).arrayBuffer().then(() => true, () => false);
}

// Why a file is not even asked for; null for one that may be a picture. Names that pictures have are believed.
async function whyNot(file) {
  const name = file.name.toLowerCase();
  if (name.startsWith(".") || SYSTEM_FILES.has(name)) return "A hidden or system file.";
  if (suffixes.has(name.slice(name.lastIndexOf(".")))) return null;
  try {
    if (openings.test(hex(await file.slice(0, HEAD).arrayBuffer()))) return null;
  } catch {
    return "It cannot be read.";
  }
  return file.size ? "Not a picture, by its content." : "Empty, and not named like a picture.";
}

// What the case had of a file's bytes, in words.
function before({ name, status, reason }, file) {
  if (status === "refused") return `Refused before: ${reason.message}`;
  if (status === "failed") return `In the case already, where it failed: ${reason.message}`;
  return name === file.name ? "In the case already." : `The same picture as ${name}, which the case has.`;
}

// The files given to the page, each an item {file, name}, and where they are: waiting, linked, on their way, arrived,
// handed over, failed, or not sent for a reason.
class Upload {
  files = [];
  next = 0; // the first file for which no link was asked
  linked = []; // items with id, url, fields
  arrived = []; // ids in the store, not handed over
  failed = []; // {item, why}
  known = []; // {item, why}: the case has them, or another one given has the same bytes
  leftOut = []; // {item, why}: never asked for
  byDigest = new Map();
  handedOver = 0;
  refused = 0; // by the server: the case lists them with their reasons
  trouble = ""; // why files that arrived could not be handed over
  sending = 0;
  active = false;

  async add(items) {
    for (const item of items) {
      const why = await whyNot(item.file);
      if (why) this.leaveOut(item, why);
      else this.files.push(item);
    }
    if (!this.active && this.left) this.run();
    else show();
  }

  leaveOut(item, why) {
    this.leftOut.push({ item, why });
  }

  again() {
    const items = this.failed.map(({ item }) => item);
    this.failed = [];
    for (const item of items) {
      item.isStale = true;
      item.isRenewed = false;
      (item.id === undefined ? this.files : this.linked).push(item);
    }
    this.run();
  }

  stop() {
    this.stopper.abort();
  }

  get stopped() {
    return this.stopper.signal.aborted;
  }

  get uploaded() {
    return this.handedOver + this.arrived.length;
  }

  get total() {
    return this.uploaded + this.refused + this.failed.length + this.known.length + this.left;
  }

  get left() {
    return this.files.length - this.next + this.linked.length + this.sending;
  }

  async run() {
    this.active = true;
    this.trouble = "";
    this.stopper = new AbortController();
    this.began = performance.now();
    this.doneBefore = this.total - this.left;
    show();
    const shower = setInterval(show, 250);
    do {
      await Promise.all(Array.from({ length: POSTS }, () => this.work()));
      while (this.arrived.length && !this.trouble) await this.handOver();
    } while (this.left && !this.stopped); // more files were added
    clearInterval(shower);
    this.active = false;
    show();
  }

  async work() {
    while (!this.stopped) {
      if (this.linked.length) {
        await this.send(this.linked.shift());
        if (this.arrived.length >= GROUP) await this.handOver();
      } else if (this.asking || this.next < this.files.length) {
        // One asks for links, the others wait for them.
        this.asking ??= this.ask().finally(() => (this.asking = null));
        await this.asking;
      } else {
        return;
      }
    }
  }

  async ask() {
    const batch = this.files.slice(this.next, this.next + LINKS);
    const wanted = [];
    const failed = [];
    const known = [];
    for (const item of batch) {
      try {
        item.sha256 ??= await digest(item.file);
      } catch {
        failed.push({ item, why: "The file cannot be read, or has changed. Choose it again." });
        continue;
      }
      const other = item.sha256 && (this.byDigest.get(item.sha256) ?? item);
      if (other && other !== item) {
        known.push({ item, why: `The same picture as ${other.name}.` });
      } else {
        if (other) this.byDigest.set(item.sha256, item);
        wanted.push(item);
      }
    }
    const files = wanted.map(({ file, sha256 }) => ({ name: file.name, size: file.size, sha256 }));
    try {
      const asked = () => api(panel.dataset.begin, { files });
      const { uploads } = files.length ? await persist(asked, () => this.stopped) : { uploads: [] };
      uploads.forEach(({ id, url, fields, refused, already }, i) => {
        if (refused) this.refused += 1;
        else if (url) this.linked.push(Object.assign(wanted[i], { id, url, fields, isStale: false }));
        else known.push({ item: wanted[i], why: before(already, wanted[i].file) });
      });
      if (this.refused) caseChanged();
    } catch (error) {
      if (this.stopped) return; // they are asked for again
      for (const item of wanted) failed.push({ item, why: reason(error) });
    }
    this.next += batch.length;
    this.failed.push(...failed);
    this.known.push(...known);
  }

  async send(item) {
    this.sending += 1;
    try {
      await persist(() => this.post(item), () => this.stopped);
      this.arrived.push(item.id);
    } catch (error) {
      if (this.stopped) this.linked.unshift(item);
      else if (await isReadable(item.file)) this.failed.push({ item, why: reason(error) });
      else this.failed.push({ item, why: "The file has changed or is gone. Choose it again." });
    } finally {
      this.sending -= 1;
    }
  }

  async post(item) {
    if (item.isStale) await this.renew(item);
    if (!item.url) return; // somebody else has sent these bytes meanwhile
    item.isStale = true; // unless it arrives: whatever happens now, the link may have expired by the next try
    const form = new FormData();
    for (const [name, value] of Object.entries(item.fields)) form.append(name, value);
    form.append("file", item.file);
    const response = await fetch(item.url, { method: "POST", body: form, signal: this.stopper.signal });
    if (response.ok) return;
    const message = `The image store answered ${response.status}.`;
    const mayPass = response.status === 429 || response.status >= 500 || (response.status === 403 && !item.isRenewed);
    throw mayPass ? new Error(message) : new Refused(message);
  }

  async renew(item) {
    const { uploads } = await api(panel.dataset.renew, { ids: [item.id] });
    Object.assign(item, { url: uploads[0]?.url, fields: uploads[0]?.fields, isStale: false, isRenewed: true });
  }

  async handOver() {
    const ids = this.arrived.splice(0, GROUP);
    this.handedOver += ids.length;
    try {
      await persist(() => api(panel.dataset.complete, { ids }));
      caseChanged();
    } catch (error) {
      this.handedOver -= ids.length;
      this.arrived.unshift(...ids);
      this.trouble = reason(error);
      this.stop();
    }
  }
}

const upload = new Upload();

function caseChanged() {
  document.body.dispatchEvent(new CustomEvent("case-changed"));
}

const number = (n) => n.toLocaleString("en");
const count = (n, thing) => `${number(n)} ${thing}${n === 1 ? "" : "s"}`;

function timeLeft() {
  const seconds = (performance.now() - upload.began) / 1000;
  const done = upload.total - upload.left - upload.doneBefore;
  if (seconds < 5 || !done) return "";
  const rest = (seconds / done) * upload.left;
  return rest < 60 ? ", less than a minute left" : `, about ${Math.round(rest / 60)} min left`;
}

function show() {
  const { active, uploaded, total, left, failed, trouble } = upload;
  part("progress").hidden = !active && !left && !trouble;
  part("bar").max = total;
  part("bar").value = total - left;
  part("stop").textContent = active ? "Stop" : "Go on";
  if (active) part("said").textContent = `Uploading: ${number(total - left)} of ${count(total, "file")}${timeLeft()}`;
  else if (trouble) part("said").textContent = `${count(upload.arrived.length, "file")} uploaded but not handed over. ${trouble}`;
  else if (left) part("said").textContent = `Stopped: ${number(uploaded)} of ${count(total, "file")} uploaded.`;

  const tenths = active ? `${Math.floor((10 * (total - left)) / total) * 10} % of files uploaded` : "";
  const end = left || trouble ? part("said").textContent : `${count(uploaded, "file")} uploaded.`;
  const announced = active ? tenths : end;
  if (part("announced").textContent !== announced) part("announced").textContent = announced;

  part("failures").hidden = !failed.length;
  part("failures-said").textContent = `${count(failed.length, "file")} could not be uploaded.`;
  part("again").disabled = active;
  list(part("failures-list"), failed);

  const others = [...upload.leftOut, ...upload.known];
  part("others").hidden = !others.length;
  const kinds = [[upload.leftOut, "left out"], [upload.known, "known already"]].filter(([files]) => files.length)
    .map(([files, kind]) => `${number(files.length)} ${kind}`);
  part("others-said").textContent = `${count(others.length, "file")} not sent: ${kinds.join(", ")}.`;
  part("others-more").textContent = others.length > LISTED ? `The first ${LISTED} are shown.` : "";
  list(part("others-list"), others);
}

function list(element, entries) {
  if (element.dataset.n === String(entries.length)) return;
  element.dataset.n = entries.length;
  element.replaceChildren(...entries.slice(0, LISTED).map(row));
}

function row({ item, why }) {
  const row = document.createElement("li");
  const name = document.createElement("span");
  name.className = "file";
  name.textContent = item.name;
  row.append(name, ` ${why}`);
  return row;
}

// All files that were not uploaded, as a text to keep.
function save() {
  const lines = [...upload.failed, ...upload.leftOut, ...upload.known].map(({ item, why }) => `${item.name}\t${why}\n`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(lines, { type: "text/plain" }));
  link.download = "not-uploaded.txt";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const promised = (start) => new Promise((resolve, reject) => start(resolve, reject));

// What was dropped, folders read through; files are added as they are found. What cannot be read is named, and the
// rest goes on.
async function addDropped(entries) {
  const items = [];
  for (const entry of entries.filter((entry) => entry.isFile)) {
    const name = entry.fullPath.slice(1);
    try {
      items.push({ name, file: await promised((ok, no) => entry.file(ok, no)) });
    } catch {
      upload.leaveOut({ name }, "It cannot be read.");
    }
  }
  await upload.add(items);
  for (const folder of entries.filter((entry) => entry.isDirectory)) {
    const name = folder.fullPath.slice(1);
    if (folder.name.startsWith(".")) {
      upload.leaveOut({ name }, "A hidden folder.");
      continue;
    }
    const reader = folder.createReader(); // gives a part of the folder at a time
    try {
      for (let found; (found = await promised((ok, no) => reader.readEntries(ok, no))).length; ) await addDropped(found);
    } catch {
      upload.leaveOut({ name }, "The folder cannot be read, or not to its end.");
    }
  }
  show();
}

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
  upload.add(bare.filter(Boolean).map((file) => ({ file, name: file.name })));
  addDropped(entries.filter(Boolean));
});
for (const picker of panel.querySelectorAll("[data-files]")) {
  const take = () => {
    upload.add([...picker.files].map((file) => ({ file, name: file.webkitRelativePath || file.name })));
    picker.value = ""; // so that the same choice may be made again
  };
  picker.addEventListener("change", take);
  if (picker.files.length) take(); // chosen while this script was still on its way
}
part("stop").addEventListener("click", () => (upload.active ? upload.stop() : upload.run()));
part("again").addEventListener("click", () => upload.again());
part("save").addEventListener("click", save);
window.addEventListener("beforeunload", (event) => {
  if (upload.active) event.preventDefault();
});
