// The way of files through the queue, with a server that is played.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { GROUP, LINKS, POSTS, WAITS } from "../../../../../../../webapp/ui/static/ui/upload/limits.js";
import { Queue } from "../../../../../../../webapp/ui/static/ui/upload/queue.js";
import { Final } from "../../../../../../../webapp/ui/static/ui/upload/retry.js";
import { atOnce } from "./support.js";

const item = (name, content = name) => ({ name: `slide/${name}`, file: new File([content], name) });
const items = (n) => Array.from({ length: n }, (_, i) => item(`${i}.jpg`));
const names = (entries) => entries.map(({ item: { name }, why }) => [name, why]);
const link = (id) => ({ id, url: `https://store/${id}`, fields: {} });
const torn = () => Promise.reject(new DOMException("gone", "NotFoundError"));
const afterwards = () => new Promise((resolve) => setImmediate(resolve));

// A server that takes everything, but for what a test has it do instead.
function played(t, instead = {}) {
  atOnce(t);
  const asked = { begin: [], renew: [], store: [], complete: [] };
  let ids = 0;
  const answers = {
    begin: (files) => files.map(() => link((ids += 1))),
    renew: (id) => link(id),
    store: () => {},
    complete: () => {},
    ...instead,
  };
  const server = {};
  for (const name of Object.keys(asked)) {
    server[name] = async (given, ...more) => {
      asked[name].push(name === "store" ? given.id : given);
      return answers[name](given, ...more);
    };
  }
  const told = { shown: 0, changes: 0 };
  const queue = new Queue({
    server,
    whyNot: async ({ name }) => (name.endsWith(".txt") ? "Not a picture." : null),
    show: () => (told.shown += 1),
    caseChanged: () => (told.changes += 1),
  });
  return { queue, asked, told };
}

async function upload(queue, given) {
  await queue.add(given);
  await ended(queue);
}

async function ended(queue) {
  while (queue.active) await afterwards();
}

test("all files arrive once and are handed over in groups, in the order given", async (t) => {
  const storedBefore = [];
  const { queue, asked, told } = played(t, { complete: () => storedBefore.push(asked.store.length) });
  await upload(queue, items(150));
  assert.ok(storedBefore[0] <= GROUP + POSTS, `${storedBefore[0]} stored before the first are handed over`);
  assert.deepEqual(asked.begin.map((files) => files.length), [LINKS, LINKS, LINKS, LINKS, 150 - 4 * LINKS]);
  assert.deepEqual(asked.begin.flat().map(({ name }) => name), items(150).map(({ file }) => file.name));
  assert.deepEqual(asked.store, Array.from({ length: 150 }, (_, i) => i + 1));
  assert.deepEqual(asked.complete.map((ids) => ids.length), [GROUP, GROUP, 150 - 2 * GROUP]);
  assert.deepEqual(asked.complete.flat().toSorted((a, b) => a - b), asked.store);
  assert.deepEqual([queue.uploaded, queue.total, queue.left, queue.active, told.changes], [150, 150, 0, false, 3]);
});

test("links are asked for files of one slide at a time, each of the slide that was chosen with it", async (t) => {
  const told = [];
  const { queue, asked } = played(t, { begin: (files, slide) => (told.push([slide, files.length]), files.map((_, i) => link(i + 1))) });
  const first = queue.add(items(3).map((one) => one), 7);
  queue.add([item("other.jpg"), item("another.jpg")], 8);
  queue.add([item("no.jpg")]);
  await first;
  await ended(queue);
  assert.deepEqual(told.reduce((sums, [slide, n]) => sums.set(slide, (sums.get(slide) ?? 0) + n), new Map()), new Map([[7, 3], [8, 2], [null, 1]]));
  assert.equal(asked.begin.flat().length, 6);
});

test("no more files are on their way at a time than is allowed, and links are asked for by one", async (t) => {
  const now = { store: 0, begin: 0 };
  const most = { store: 0, begin: 0 };
  const busy = async (name, answer) => {
    now[name] += 1;
    most[name] = Math.max(most[name], now[name]);
    await afterwards();
    now[name] -= 1;
    return answer;
  };
  const { queue } = played(t, {
    store: () => busy("store"),
    begin: (files) => busy("begin", files.map(({ name }) => link(name))),
  });
  await upload(queue, items(100));
  assert.deepEqual([most.store, most.begin, queue.uploaded], [POSTS, 1, 100]);
});

test("a file that is no picture costs nobody anything", async (t) => {
  const { queue, asked, told } = played(t);
  await upload(queue, [item("notes.txt")]);
  assert.deepEqual(asked.begin, []);
  assert.deepEqual(names(queue.leftOut), [["slide/notes.txt", "Not a picture."]]);
  assert.equal(told.shown, 1);
});

test("an empty file is asked for like others: the server says what is wrong with it", async (t) => {
  const { queue, asked, told } = played(t, { begin: (files) => files.map(() => ({ id: 1, refused: { code: "empty" } })) });
  await upload(queue, [item("empty.jpg", "")]);
  assert.equal(asked.begin[0][0].size, 0);
  assert.deepEqual([asked.store, queue.refused, queue.total, queue.left, told.changes], [[], 1, 1, 0, 1]);
});

test("the same bytes twice are sent once, in one batch, in another, and when they come later", async (t) => {
  const { queue, asked } = played(t);
  await upload(queue, [item("a.jpg", "same"), item("b.jpg", "same"), ...items(LINKS), item("c.jpg", "same")]);
  await upload(queue, [item("d.jpg", "same")]);
  assert.equal(asked.store.length, LINKS + 1);
  assert.deepEqual(names(queue.known), ["b", "c", "d"].map((name) => [`slide/${name}.jpg`, "The same picture as slide/a.jpg."]));
  assert.equal(queue.total, LINKS + 4);
});

test("without digests nothing is taken for the same", async (t) => {
  t.mock.getter(crypto, "subtle", () => undefined);
  const { queue, asked } = played(t);
  await upload(queue, [item("a.jpg", "same"), item("b.jpg", "same")]);
  assert.deepEqual([asked.store.length, queue.known], [2, []]);
  assert.equal(asked.begin[0][0].sha256, undefined);
});

test("what the case has is said in words", async (t) => {
  const had = [
    { status: "classified", name: "0.jpg" },
    { status: "classified", name: "other.jpg" },
    { status: "refused", reason: { message: "Too large." } },
    { status: "failed", reason: { message: "Nobody knows." } },
  ];
  const { queue, asked } = played(t, { begin: (files) => files.map((_, i) => ({ already: had[i] })) });
  await upload(queue, items(4));
  assert.deepEqual(queue.known.map(({ why }) => why), [
    "In the case already.",
    "The same picture as other.jpg, which the case has.",
    "Refused before: Too large.",
    "In the case already, where it failed: Nobody knows.",
  ]);
  assert.deepEqual([asked.store, asked.complete], [[], []]);
});

test("a try that failed is followed by one with a new link", async (t) => {
  let tries = 0;
  const { queue, asked } = played(t, {
    store: () => {
      tries += 1;
      if (tries < 3) throw new Error("The image store answered 403.");
    },
  });
  await upload(queue, items(1));
  assert.deepEqual([asked.store, asked.renew, asked.complete, queue.failed], [[1, 1, 1], [1, 1], [[1]], []]);
});

test("a file that somebody else has sent meanwhile counts as arrived", async (t) => {
  const { queue, asked } = played(t, {
    store: () => Promise.reject(new Error("The image store answered 403.")),
    renew: () => {},
  });
  await upload(queue, items(1));
  assert.deepEqual([asked.store, asked.complete, queue.uploaded], [[1], [[1]], 1]);
});

test("what the store never takes is named, and can be tried again with new links", async (t) => {
  let away = true;
  const { queue, asked } = played(t, {
    store: ({ file }) => away && file.name === "1.jpg" && Promise.reject(new TypeError("Failed to fetch")),
  });
  await upload(queue, items(3));
  assert.deepEqual(names(queue.failed), [["slide/1.jpg", "The connection was lost."]]);
  assert.deepEqual([asked.store.filter((id) => id === 2).length, queue.uploaded, queue.total], [WAITS.length + 1, 2, 3]);
  away = false;
  await queue.again();
  assert.deepEqual([queue.failed, queue.uploaded, asked.complete.flat().toSorted()], [[], 3, [1, 2, 3]]);
  assert.equal(asked.renew.length, WAITS.length + 1);
});

test("a batch for which no links are given is named, and asked for again", async (t) => {
  let away = true;
  const { queue, asked } = played(t, {
    begin: (files) => {
      if (away) throw new Final("You work in another lab now.");
      return files.map(({ name }) => link(name));
    },
  });
  await upload(queue, items(2));
  assert.equal(asked.begin.length, 1);
  assert.deepEqual(queue.failed.map(({ why }) => why), Array(2).fill("You work in another lab now."));
  away = false;
  await queue.again();
  assert.deepEqual([queue.failed, queue.known, queue.uploaded], [[], [], 2]);
});

test("what cannot be read is named, before and after it got a link", async (t) => {
  const unread = { name: "slide/0.jpg", file: { name: "0.jpg", size: 1, arrayBuffer: torn } };
  const changed = item("1.jpg");
  const { queue } = played(t, { store: () => Promise.reject(new Final("no")) });
  t.mock.method(changed.file, "slice", () => ({ arrayBuffer: torn }));
  await upload(queue, [unread, changed]);
  assert.deepEqual(names(queue.failed), [
    ["slide/0.jpg", "The file cannot be read, or has changed. Choose it again."],
    ["slide/1.jpg", "The file has changed or is gone. Choose it again."],
  ]);
});

test("what was not handed over is kept, and handed over later", async (t) => {
  let away = true;
  const { queue, asked } = played(t, { complete: () => away && Promise.reject(new Error("The server answered 503.")) });
  await upload(queue, items(3));
  assert.deepEqual([queue.trouble, queue.arrived, queue.uploaded, queue.left], ["The server answered 503.", [1, 2, 3], 3, 0]);
  assert.equal(asked.complete.length, WAITS.length + 1);
  away = false;
  await queue.run();
  assert.deepEqual([queue.trouble, queue.arrived, queue.handedOver, asked.store.length], ["", [], 3, 3]);
});

test("stopping keeps what arrived, and going on sends the rest once", async (t) => {
  let stored = 0;
  const { queue, asked } = played(t, {
    store: async (_item, signal) => {
      stored += 1;
      if (stored > 10) queue.stop();
      await afterwards();
      signal.throwIfAborted();
    },
  });
  await upload(queue, items(40));
  assert.deepEqual([queue.failed, queue.stopped, queue.total], [[], true, 40]);
  assert.equal(queue.uploaded + queue.left, 40);
  assert.ok(queue.uploaded > 0 && queue.uploaded < 40, `${queue.uploaded} arrived`);
  stored = -100;
  await queue.run();
  assert.deepEqual([queue.uploaded, queue.left, queue.failed], [40, 0, []]);
  assert.equal(new Set(asked.complete.flat()).size, 40);
  assert.equal(asked.complete.flat().length, 40);
});

test("links for which nobody waits any more are asked for again", async (t) => {
  let isFirst = true;
  const { queue, asked } = played(t, {
    begin: (files) => {
      if (!isFirst) return files.map(({ name }) => link(name));
      isFirst = false;
      queue.stop();
      throw new TypeError("Failed to fetch");
    },
  });
  await upload(queue, items(2));
  assert.deepEqual([queue.left, queue.failed, queue.known], [2, [], []]);
  await queue.run();
  assert.deepEqual([queue.uploaded, queue.failed, queue.known, asked.begin.length], [2, [], [], 2]);
});

test("files that are added while the last are handed over are sent, too", async (t) => {
  const { queue } = played(t, { complete: (ids) => ids.includes(1) && queue.add([item("late.jpg")]) });
  await upload(queue, items(2));
  assert.deepEqual([queue.uploaded, queue.left, queue.active], [3, 0, false]);
});

test("files that are added meanwhile are sent in the same run", async (t) => {
  const { queue } = played(t, { store: ({ id }) => id === 1 && queue.add([item("late.jpg")]) });
  await upload(queue, items(2));
  assert.deepEqual([queue.uploaded, queue.total, queue.active], [3, 3, false]);
});

test("a file in place of another is asked for by itself, and the others go on where the server says no", async (t) => {
  const { queue, asked } = played(t, {
    begin: (files) => {
      if (files[0].replaces === 2) throw new Final("It was replaced meanwhile.");
      return files.map((_file, i) => link(100 + i));
    },
  });
  await upload(queue, [item("a.jpg"), { ...item("b.jpg"), replaces: 1 }, { ...item("c.jpg"), replaces: 2 }, item("d.jpg")]);
  assert.deepEqual(asked.begin.map((files) => files.map(({ name, replaces }) => [name, replaces])), [
    [["a.jpg", undefined]],
    [["b.jpg", 1]],
    [["c.jpg", 2]],
    [["d.jpg", undefined]],
  ]);
  assert.deepEqual(names(queue.failed), [["slide/c.jpg", "It was replaced meanwhile."]]);
  assert.equal(queue.handedOver, 3);
});

test("a picture that was uploaded already may be given in place of another: the server says what becomes of it", async (t) => {
  const known = { name: "a.jpg", status: "classified", reason: null };
  const { queue, asked, told } = played(t, {
    begin: (files) => files.map(({ replaces }) => (replaces ? { id: 1, url: null, already: known } : link(1))),
  });
  await upload(queue, [item("a.jpg", "same")]);
  const before = told.changes;
  await upload(queue, [{ ...item("b.jpg", "same"), replaces: 7 }]);
  assert.equal(asked.begin.length, 2);
  assert.deepEqual(names(queue.known), [["slide/b.jpg", "The same picture as a.jpg, which the case has."]]);
  assert.ok(told.changes > before);
});
