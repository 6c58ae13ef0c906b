// Gestures on their way, over a line that fails.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { Kept } from "../../../../../../../webapp/ui/static/ui/kept.js";
import { withoutWords } from "../../../../../../../webapp/ui/static/ui/review/kept.js";
import { WAITS } from "../../../../../../../webapp/ui/static/ui/review/limits.js";
import { Queue } from "../../../../../../../webapp/ui/static/ui/review/queue.js";
import { Final } from "../../../../../../../webapp/ui/static/ui/upload/retry.js";
import { atOnce } from "../upload/support.js";

const rubbish = {
  getItem: () => "{rubbish",
  setItem: () => {
    throw new Error("quota");
  },
};
const full = () => rubbish;
const forbidden = () => {
  throw new Error("denied");
};

function played(send, waiting) {
  const told = { sent: [], answered: [], failed: [], kept: [], unsaved: [] };
  const queue = new Queue({
    waiting,
    send: async (gesture) => {
      told.sent.push(gesture.id);
      return send(gesture, told.sent.length);
    },
    keep: (waits) => told.kept.push(waits.map(({ id }) => id)),
    answered: ({ id }, answer) => told.answered.push([id, answer]),
    failed: ({ id }, error) => told.failed.push([id, error.message]),
    show: () => told.unsaved.push([queue.unsaved, queue.trouble]),
  });
  return { queue, told };
}

test("gestures go one at a time, in their order", async () => {
  let under = 0;
  const { queue, told } = played(async ({ id }) => {
    under += 1;
    assert.equal(under, 1);
    await new Promise((resolve) => setImmediate(resolve));
    under -= 1;
    return id.toUpperCase();
  });
  await Promise.all([queue.add([{ id: "a" }, { id: "b" }]), queue.add([{ id: "c" }])]);
  assert.deepEqual(told.answered, [["a", "A"], ["b", "B"], ["c", "C"]]);
  assert.equal(queue.unsaved, 0);
});

test("while the line is down the same gesture is sent again, after ever longer waits; until then it is unsaved", async (t) => {
  const waits = atOnce(t);
  const { queue, told } = played(({ id }, tries) => (tries < 8 ? Promise.reject(new TypeError("failed to fetch")) : id));
  await queue.add([{ id: "a" }]);
  assert.deepEqual(told.sent, Array.from({ length: 8 }, () => "a"));
  assert.equal(waits.length, 7);
  for (const [i, ms] of waits.entries()) {
    const longest = WAITS[Math.min(i, WAITS.length - 1)];
    assert.ok(longest / 2 <= ms && ms <= longest, `${ms} ms`);
  }
  assert.ok(told.unsaved.some(([n, trouble]) => n === 1 && trouble === "The connection was lost."));
  assert.deepEqual(told.unsaved.at(-1), [0, ""]);
});

test("a line that is there again is used at once", async () => {
  let down = true;
  const { queue, told } = played(({ id }) => (down ? Promise.reject(new Error("503")) : id));
  const done = queue.add([{ id: "a" }]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(queue.trouble, "503");
  down = false;
  queue.wake();
  await done;
  assert.deepEqual(told.answered, [["a", "a"]]);
});

test("what the server does not want is given up, and what follows goes on", async () => {
  const { queue, told } = played(({ id }) => (id === "a" ? Promise.reject(new Final("The review is over.")) : id));
  await queue.add([{ id: "a" }, { id: "b" }]);
  assert.deepEqual([told.failed, told.answered], [[["a", "The review is over."]], [["b", "b"]]]);
});

test("a gesture is kept before it is sent, and until it is answered", async () => {
  const { queue, told } = played(({ id }) => {
    assert.ok(told.kept.at(-1).includes(id));
    return id;
  });
  await queue.add([{ id: "a" }, { id: "b" }]);
  assert.deepEqual(told.kept, [["a", "b"], ["b"], []]);
});

test("after a reload what was not answered is sent again under the same id", async () => {
  const values = {};
  const storage = () => ({ getItem: (name) => values[name] ?? null, setItem: (name, text) => (values[name] = text) });
  new Kept(storage, "review").write({ waiting: [{ id: "a", effect: [[1, "basophil"]] }] });
  const { waiting } = new Kept(storage, "review").read();
  const { queue, told } = played(({ id }) => id, waiting);
  assert.equal(queue.unsaved, 1);
  await queue.run();
  assert.deepEqual(told.sent, ["a"]);
});

test("a person's own words are not kept in the browser", () => {
  const decided = { id: "a", decisions: [{ cell: 1, class: "other", words: "seen in Ada" }] };
  assert.deepEqual(withoutWords(decided), { id: "a", decisions: [{ cell: 1, class: "other" }] });
  assert.deepEqual(withoutWords({ id: "b", confirm: [1] }), { id: "b", confirm: [1] });
});

test("what changes often is kept once, a little later or when the page is left", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const written = [];
  const kept = new Kept(() => ({ getItem: () => null, setItem: (_, text) => written.push(text) }), "undo");
  for (const done of [1, 2]) kept.later(() => ({ done }));
  assert.deepEqual(written, []);
  context.mock.timers.tick(500);
  assert.deepEqual(written, ['{"done":2}']);
  kept.later(() => ({ done: 3 }));
  kept.flush();
  context.mock.timers.tick(500);
  assert.deepEqual(written, ['{"done":2}', '{"done":3}']);
});

test("a browser that keeps nothing, or rubbish, costs only that", () => {
  for (const storage of [full, forbidden]) {
    const kept = new Kept(storage, "review");
    assert.deepEqual(kept.read(), {});
    assert.equal(kept.write({ a: 1 }), false);
  }
});
