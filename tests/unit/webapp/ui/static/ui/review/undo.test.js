// Back and forth, as far as the work goes.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { CELLS_KEPT, UNDO_KEPT } from "../../../../../../../webapp/ui/static/ui/review/limits.js";
import { Undo } from "../../../../../../../webapp/ui/static/ui/review/undo.js";

const deed = (id, cell = 1, code = "basophil", before = "") => [{ id, effect: [[cell, code]], before: [[cell, before]] }];

const large = (id, n) => [{ id, effect: Array.from({ length: n }, (_, i) => [i, "basophil"]), before: [] }];

function ids() {
  let n = 0;
  return () => `u${(n += 1)}`;
}

test("undo takes back the last deed; redo is the undo of that undo", () => {
  const undo = new Undo();
  const newId = ids();
  undo.did(deed("a"));
  undo.did(deed("b", 2));
  assert.deepEqual(undo.undo(newId), [{ id: "u1", undo: "b", effect: [[2, ""]], before: [[2, "basophil"]] }]);
  assert.deepEqual(undo.undo(newId), [{ id: "u2", undo: "a", effect: [[1, ""]], before: [[1, "basophil"]] }]);
  assert.deepEqual(undo.undo(newId), []);
  assert.deepEqual(undo.redo(newId), [{ id: "u3", undo: "u2", effect: [[1, "basophil"]], before: [[1, ""]] }]);
  assert.deepEqual(undo.undo(newId), [{ id: "u4", undo: "u3", effect: [[1, ""]], before: [[1, "basophil"]] }]);
});

test("a new deed ends what could be done again", () => {
  const undo = new Undo();
  undo.did(deed("a"));
  undo.undo(ids());
  undo.did(deed("b"));
  assert.deepEqual(undo.redo(ids()), []);
});

test("a deed in parts is taken back as one, last part first", () => {
  const undo = new Undo();
  undo.did([...deed("a"), ...deed("b", 2)]);
  assert.deepEqual(undo.undo(ids()).map((gesture) => gesture.undo), ["b", "a"]);
});

test("what was never recorded cannot be undone", () => {
  const undo = new Undo();
  undo.did(deed("a"));
  undo.did(deed("b"));
  undo.forget("b");
  assert.deepEqual(undo.undo(ids()).map((gesture) => gesture.undo), ["a"]);
});

test("it reaches back over a reload, and has an end", () => {
  const undo = new Undo();
  for (let n = 0; n < UNDO_KEPT + 5; n += 1) undo.did(deed(`g${n}`));
  const later = new Undo(JSON.parse(JSON.stringify(undo.kept)));
  assert.equal(later.done.length, UNDO_KEPT);
  assert.equal(later.undo(ids())[0].undo, `g${UNDO_KEPT + 4}`);
});

test("of large deeds only the last are kept over a reload", () => {
  const undo = new Undo();
  for (const id of ["a", "b", "c"]) undo.did(large(id, CELLS_KEPT / 2));
  assert.deepEqual(undo.kept.done.map(([{ id }]) => id), ["b", "c"]);
  assert.equal(undo.done.length, 3);
});
