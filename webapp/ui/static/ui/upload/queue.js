// The files given to the page, each an item {file, name, slide, replaces}, and where they are: waiting, linked, on their way, arrived,
// handed over, failed, or not sent for a reason. Links are asked for a batch of files at a time, the bytes go straight
// to the object store, and what has arrived is handed over group by group. A file is what its bytes are: what the case
// has is not sent again.

import { say } from "../language.js";
import { GROUP, LINKS, POSTS, SHOWN_EVERY } from "./limits.js";
import { sha256 } from "./digest.js";
import { isReadable } from "./pictures.js";
import { reason, retry } from "./retry.js";

// What the case had of a file's bytes, in words.
function before({ name, status, reason: known }, file) {
  if (status === "refused") return say(gettext("Refused before: %(reason)s"), { reason: known.message });
  if (status === "failed") {
    return say(gettext("In the case already, where it failed: %(reason)s"), { reason: known.message });
  }
  if (name === file.name) return gettext("In the case already.");
  return say(gettext("The same picture as %(name)s, which the case has."), { name });
}

export class Queue {
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

  // `whyNot` tells why a file is left out, `show` shows how it goes, `caseChanged` tells that the case has more.
  constructor({ server, whyNot, show, caseChanged }) {
    Object.assign(this, { server, whyNot, show, caseChanged });
  }

  async add(items, slide = null) {
    for (const item of items) {
      item.slide = slide;
      const why = await this.whyNot(item.file);
      if (why) this.leaveOut(item, why);
      else this.files.push(item);
    }
    if (!this.active && this.left) this.run();
    else this.show();
  }

  leaveOut(item, why) {
    this.leftOut.push({ item, why });
  }

  again() {
    const items = this.failed.map(({ item }) => item);
    this.failed = [];
    for (const item of items) {
      item.isStale = true;
      (item.id === undefined ? this.files : this.linked).push(item);
    }
    return this.run();
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
    this.show();
    const shower = setInterval(this.show, SHOWN_EVERY);
    do {
      await Promise.all(Array.from({ length: POSTS }, () => this.work()));
      while (this.arrived.length && !this.trouble) await this.handOver();
    } while (this.left && !this.stopped); // more files were added
    clearInterval(shower);
    this.active = false;
    this.show();
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
    const batch = this.ofOneKind(this.files.slice(this.next, this.next + LINKS));
    const wanted = [];
    const failed = [];
    const known = [];
    for (const item of batch) {
      try {
        item.sha256 ??= await sha256(item.file);
      } catch {
        failed.push({ item, why: gettext("The file cannot be read, or has changed. Choose it again.") });
        continue;
      }
      const other = item.sha256 && (this.byDigest.get(item.sha256) ?? item);
      if (other && other !== item && !item.replaces) {
        known.push({ item, why: say(gettext("The same picture as %(name)s."), { name: other.name }) });
      } else {
        if (other) this.byDigest.set(item.sha256, item);
        wanted.push(item);
      }
    }
    const files = wanted.map(({ file, sha256: digest, replaces }) => ({
      name: file.name,
      size: file.size,
      sha256: digest,
      replaces,
    }));
    try {
      const uploads = files.length ? await retry(() => this.server.begin(files, batch[0].slide), () => this.stopped) : [];
      uploads.forEach(({ id, url, fields, refused, already }, i) => {
        if (refused) this.refused += 1;
        else if (url) this.linked.push(Object.assign(wanted[i], { id, url, fields, isStale: false }));
        else known.push({ item: wanted[i], why: before(already, wanted[i].file) });
      });
      if (this.refused || wanted.some(({ replaces }) => replaces)) this.caseChanged();
    } catch (error) {
      if (this.stopped) return; // they are asked for again
      for (const item of wanted) failed.push({ item, why: reason(error) });
    }
    this.next += batch.length;
    this.failed.push(...failed);
    this.known.push(...known);
  }

  // The first of `items` that are of one slide; one that is given in place of another is asked for by itself, for the
  // server may say no to it.
  ofOneKind(items) {
    if (items[0].replaces) return items.slice(0, 1);
    const end = items.findIndex(({ slide, replaces }) => replaces || slide !== items[0].slide);
    return end < 0 ? items : items.slice(0, end);
  }

  async send(item) {
    this.sending += 1;
    try {
      await retry(() => this.post(item), () => this.stopped);
      this.arrived.push(item.id);
    } catch (error) {
      if (this.stopped) this.linked.unshift(item);
      else if (await isReadable(item.file)) this.failed.push({ item, why: reason(error) });
      else this.failed.push({ item, why: gettext("The file has changed or is gone. Choose it again.") });
    } finally {
      this.sending -= 1;
    }
  }

  async post(item) {
    if (item.isStale) await this.renew(item);
    if (!item.url) return; // somebody else has sent these bytes meanwhile
    item.isStale = true; // unless it arrives: whatever happens now, the link may have expired by the next try
    await this.server.store(item, this.stopper.signal);
  }

  async renew(item) {
    const link = await this.server.renew(item.id);
    Object.assign(item, { url: link?.url, fields: link?.fields, isStale: false, isRenewed: true });
  }

  async handOver() {
    const ids = this.arrived.splice(0, GROUP);
    this.handedOver += ids.length;
    try {
      await retry(() => this.server.complete(ids));
      this.caseChanged();
    } catch (error) {
      this.handedOver -= ids.length;
      this.arrived.unshift(...ids);
      this.trouble = reason(error);
      this.stop();
    }
  }
}
