// What is said in the row of a file for which another was given.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { inPlaceOf, outcome } from "../../../../../../../webapp/ui/static/ui/upload/replacing.js";

const queue = (more) => ({ active: false, failed: [], leftOut: [], known: [], refused: 0, trouble: "", ...more });

test("the item names what it is given for", () => {
  const file = new File(["x"], "b.jpg");
  assert.deepEqual(inPlaceOf({ dataset: { replaces: "17" } }, file), { file, name: "b.jpg", replaces: 17 });
});

const said = (more) => Object.values(outcome(queue(more), "b.jpg"));

test("each end is said, and only what is settled closes the row", () => {
  const why = [{ item: {}, why: "No." }];
  assert.deepEqual(said({ active: true }), ["Uploading b.jpg.", false]);
  assert.deepEqual(said({ failed: why }), ["No.", false]);
  assert.deepEqual(said({ leftOut: why }), ["No.", false]);
  assert.deepEqual(said({ known: why }), ["No.", false]);
  assert.deepEqual(said({ trouble: "Away." }), ["Away.", false]);
  assert.equal(said({ refused: 1 })[1], true);
  assert.deepEqual(said({}), ["Replaced by b.jpg, which is classified now.", true]);
});
