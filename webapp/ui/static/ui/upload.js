// Uploads thousands of files from a page: links for a batch of files at a time, the bytes straight to the object
// store, and what has arrived handed over group by group. A file costs no DOM node unless it could not be uploaded.

const LINKS = 100; // files for which links are asked at a time
const GROUP = 64; // files handed over together: the model's batch
const POSTS = 6; // at the same time
const WAITS = [500, 1000, 2000, 4000, 8000]; // ms before each further try
const LISTED = 100; // failed files shown by name
const SYSTEM_FILES = new Set(["thumbs.db", "desktop.ini"]);

const panel = document.getElementById("upload");
const part = (name) => panel.querySelector(`[data-${name}]`);
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
    headers: { "Content-Type": "application/json", "X-CSRFToken": panel.dataset.token },
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

// The files given to the page and where each of them is: waiting, linked, on its way, arrived, handed over, failed.
class Upload {
  files = [];
  next = 0; // the first file for which no link was asked
  linked = []; // {file, id, url, fields}
  arrived = []; // ids in the store, not handed over
  failed = []; // {file, why}
  handedOver = 0;
  refused = 0; // by the server: the case lists them with their reasons
  trouble = ""; // why files that arrived could not be handed over
  sending = 0;
  active = false;

  add(files) {
    for (const file of files) this.files.push(file);
    if (!this.active) this.run();
  }

  again() {
    const files = this.failed.map(({ file }) => file);
    this.failed = [];
    this.files = this.files.concat(files);
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
    return this.uploaded + this.refused + this.failed.length + this.left;
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
    const files = batch.map(({ name, size }) => ({ name, size }));
    try {
      const { uploads } = await persist(() => api(panel.dataset.begin, { files }), () => this.stopped);
      this.next += batch.length;
      uploads.forEach(({ id, url, fields, refused }, i) => {
        if (refused) this.refused += 1;
        else this.linked.push({ file: batch[i], id, url, fields });
      });
      if (this.refused) caseChanged();
    } catch (error) {
      if (this.stopped) return;
      this.next += batch.length;
      for (const file of batch) this.failed.push({ file, why: reason(error) });
    }
  }

  async send(item) {
    const form = new FormData();
    for (const [name, value] of Object.entries(item.fields)) form.append(name, value);
    form.append("file", item.file);
    this.sending += 1;
    try {
      await persist(
        async () => {
          const response = await fetch(item.url, { method: "POST", body: form, signal: this.stopper.signal });
          if (response.ok) return;
          const message = `The image store answered ${response.status}.`;
          throw response.status === 429 || response.status >= 500 ? new Error(message) : new Refused(message);
        },
        () => this.stopped,
      );
      this.arrived.push(item.id);
    } catch (error) {
      if (this.stopped) this.linked.unshift(item);
      else this.failed.push({ file: item.file, why: reason(error) });
    } finally {
      this.sending -= 1;
    }
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
  const list = part("failures-list");
  if (list.dataset.n !== String(failed.length)) {
    list.dataset.n = failed.length;
    list.replaceChildren(...failed.slice(0, LISTED).map(failure));
  }
}

function failure({ file, why }) {
  const row = document.createElement("li");
  const name = document.createElement("span");
  name.className = "file";
  name.textContent = file.name;
  row.append(name, ` ${why}`);
  return row;
}

const isWanted = (file) => !file.name.startsWith(".") && !SYSTEM_FILES.has(file.name.toLowerCase());

const promised = (start) => new Promise((resolve, reject) => start(resolve, reject));

// What was dropped, folders read through; files are added as they are found.
async function addDropped(entries) {
  const files = entries.filter((entry) => entry.isFile).map((entry) => promised((ok, no) => entry.file(ok, no)));
  if (files.length) upload.add((await Promise.all(files)).filter(isWanted));
  for (const folder of entries.filter((entry) => entry.isDirectory)) {
    const reader = folder.createReader(); // gives a part of the folder at a time
    for (let found; (found = await promised((ok, no) => reader.readEntries(ok, no))).length; ) await addDropped(found);
  }
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
  addDropped([...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean));
});
for (const picker of panel.querySelectorAll("[data-files]")) {
  const take = () => {
    upload.add([...picker.files].filter(isWanted));
    picker.value = ""; // so that the same choice may be made again
  };
  picker.addEventListener("change", take);
  if (picker.files.length) take(); // chosen while this script was still on its way
}
part("stop").addEventListener("click", () => (upload.active ? upload.stop() : upload.run()));
part("again").addEventListener("click", () => upload.again());
window.addEventListener("beforeunload", (event) => {
  if (upload.active) event.preventDefault();
});
