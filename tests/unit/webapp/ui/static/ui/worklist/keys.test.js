// Which key does what in the worklist, and when none does anything.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { ByHand, COMMANDS, WorklistKeys, rowBehind } from "../../../../../../../webapp/ui/static/ui/worklist/keys.js";

const press = (key, more = {}) => ({ key, target: { tagName: "A" }, ...more });

test("each command has its key, and arrows move", () => {
  const keys = new WorklistKeys();
  for (const { name, key } of COMMANDS) assert.equal(keys.meaning(press(key)), name);
  assert.equal(keys.meaning(press("ArrowDown")), "next");
  assert.equal(keys.meaning(press("ArrowUp")), "previous");
  assert.equal(keys.meaning(press("ArrowDown"), false), null); // the page scrolls
  assert.equal(keys.meaning(press("Enter")), null); // the link that has the focus opens
  assert.equal(keys.meaning(press("x")), null);
});

test("nothing happens while somebody types, nor with Ctrl, ⌘ or Alt", () => {
  const keys = new WorklistKeys();
  for (const target of [{ tagName: "INPUT", type: "search" }, { tagName: "SELECT" }, { tagName: "TEXTAREA" }])
    for (const key of ["j", "/", "ArrowDown"]) assert.equal(keys.meaning(press(key, { target })), null);
  for (const held of ["ctrlKey", "metaKey", "altKey", "isComposing"]) assert.equal(keys.meaning(press("a", { [held]: true })), null);
});

test("single keys are given to other commands and switched off; arrows stay", () => {
  const keys = new WorklistKeys();
  assert.equal(keys.rebind("next", "k"), "previous");
  assert.equal(keys.rebind("next", "n"), null);
  assert.deepEqual([keys.meaning(press("n")), keys.meaning(press("j"))], ["next", null]);
  assert.equal(new WorklistKeys(JSON.parse(JSON.stringify(keys.changes))).meaning(press("n")), "next");
  keys.switchOff(true);
  assert.equal(keys.meaning(press("n")), null);
  assert.equal(keys.meaning(press("ArrowDown")), "next");
});

test("rows are moved through without leaving them", () => {
  assert.equal(rowBehind(0, -1, 1), -1);
  assert.equal(rowBehind(3, -1, 1), 0);
  assert.equal(rowBehind(3, -1, -1), 2);
  assert.equal(rowBehind(3, 0, -1), 0);
  assert.equal(rowBehind(3, 2, 1), 2);
  assert.equal(rowBehind(3, 0, 1), 1);
});

test("what a barcode reader types is no command, and what a hand types is", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const hand = new ByHand();
  const done = [];
  for (const [place, key] of ["A", "-", "1", "7"].entries()) hand.press(1000 + 10 * place, () => done.push(key));
  context.mock.timers.tick(1000);
  assert.deepEqual(done, []);
  hand.press(5000, () => done.push("a"));
  context.mock.timers.tick(100);
  hand.press(5200, () => done.push("j"));
  context.mock.timers.tick(100);
  assert.deepEqual(done, ["a", "j"]);
  hand.press(6000, () => done.push("a"));
  hand.press(6010, null); // the second character of a label
  context.mock.timers.tick(1000);
  assert.deepEqual(done, ["a", "j"]);
});
