// Moves in the grid, ranges, and where it goes on.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { Selection, moved, nextUndecided } from "../../../../../../../webapp/ui/static/ui/review/selection.js";

const cells = (...ids) => ids.map((id) => ({ id, decided: null }));
// Columns: 3.   1 2 3 | 11 12 13
//               4 5   | 14
const sections = [{ code: "a", cells: cells(1, 2, 3, 4, 5) }, { code: "empty", cells: [] }, { code: "b", cells: cells(11, 12, 13, 14) }];
const part = (code, ...decided) => ({ code, cells: decided.map((one, i) => ({ id: `${code}${i}`, decided: one })) });
const from = (id) => (move, rows) => moved(sections, id, move, 3, rows);

test("left and right wrap at the ends of rows and go on in the next section", () => {
  assert.deepEqual([from(3)("right"), from(4)("left"), from(5)("right"), from(11)("left")], [4, 3, 11, 5]);
  assert.deepEqual([from(1)("left"), from(14)("right")], [1, 14]);
});

test("up and down keep the column as far as there are cells", () => {
  assert.deepEqual([from(2)("down"), from(3)("down"), from(5)("down"), from(4)("down")], [5, 5, 12, 11]);
  assert.deepEqual([from(13)("up"), from(12)("up"), from(14)("up"), from(5)("up"), from(2)("up")], [5, 5, 11, 2, 2]);
  assert.deepEqual([from(13)("down"), from(14)("down")], [14, 14]);
});

test("home, end, sections and screens", () => {
  assert.deepEqual([from(5)("first"), from(2)("last")], [1, 5]);
  assert.deepEqual([from(2)("next-section"), from(13)("previous-section"), from(4)("previous-section"), from(13)("next-section")], [11, 1, 1, 13]);
  assert.deepEqual([from(1)("page-down", 2), from(1)("page-down", 9), from(14)("page-up", 2)], [11, 14, 4]);
});

test("without a focus a move begins at the first cell; without cells it leads nowhere", () => {
  assert.equal(from(null)("right"), 1);
  assert.equal(from(99)("down"), 1);
  assert.equal(moved([{ code: "a", cells: [] }], null, "right", 3), null);
});

test("a range goes from where it began, forwards and back, over sections", () => {
  const selection = new Selection();
  selection.go(4);
  selection.extend(12, sections);
  assert.deepEqual([...selection.chosen], [4, 5, 11, 12]);
  selection.extend(2, sections);
  assert.deepEqual([[...selection.chosen], selection.focus], [[2, 3, 4], 2]);
  selection.go(5);
  assert.deepEqual([selection.targets, selection.chosen.size], [[5], 0]);
});

test("cells are added to a selection and taken out of it", () => {
  const selection = new Selection();
  selection.toggle(1);
  selection.toggle(11);
  selection.toggle(1);
  assert.deepEqual(selection.targets, [11]);
  selection.take([2, 3], true);
  assert.deepEqual(selection.targets, [11, 2, 3]);
  selection.clear();
  assert.deepEqual(selection.targets, [1]);
  assert.deepEqual(new Selection().targets, []);
});

test("it goes on to the next undecided cell of the section, then before, then in sections that follow, and around", () => {
  const view = [part("a", "x", null, "x"), part("b", "x"), part("c", null, null)];
  assert.equal(nextUndecided(view, 0, 0), "a1");
  assert.equal(nextUndecided(view, 0, 2), "a1");
  assert.equal(nextUndecided(view, 1, 0), "c0");
  assert.equal(nextUndecided(view, 2, 1), "c1");
  assert.equal(nextUndecided([part("a", null), part("b", "x")], 1, 0), "a0");
  assert.equal(nextUndecided([part("a", "x")], 0, 0), null);
  assert.equal(nextUndecided([], 0, 0), null);
});
