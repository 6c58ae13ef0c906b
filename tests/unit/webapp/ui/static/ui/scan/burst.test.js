// Barcode readers and hands, told apart by how fast they type.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Burst, FASTEST_HAND } from "../../../../../../../webapp/ui/static/ui/scan/burst.js";

// Presses the keys, so many ms apart; gives what was read.
function pressed(keys, pause, burst = new Burst()) {
  let at = 1000;
  let read = "";
  for (const key of keys) read = burst.press(key, (at += pause)) || read;
  return read;
}

const label = (text, end = "Enter") => [...text, end];

test("what a reader types is read, whether it ends with Enter or Tab", () => {
  assert.equal(pressed(label("A-17/2026"), 5), "A-17/2026");
  assert.equal(pressed(label("A-17/2026", "Tab"), 5), "A-17/2026");
});

test("capitals come with Shift, which is no character", () => {
  assert.equal(pressed(["Shift", "A", "Shift", "B", "1", "2", "Enter"], 5), "AB12");
});

test("a hand is no reader, and no key by itself is", () => {
  assert.equal(pressed(label("A-17/2026"), FASTEST_HAND + 1), "");
  for (const key of ["Enter", "Tab", "j", "/"]) assert.equal(pressed([key], 5), "");
  assert.equal(pressed(label("abc"), 5), "");
});

test("what was typed by hand before is no part of it", () => {
  const burst = new Burst();
  burst.press("x", 0);
  assert.equal(pressed(label("A-17"), 5, burst), "A-17");
});

test("other keys begin anew", () => {
  assert.equal(pressed(["A", "B", "ArrowLeft", "C", "D", "Enter"], 5), "");
});

test("a hand's Enter after a reader without an end reads nothing", () => {
  const burst = new Burst();
  [..."A-1700"].forEach((key, i) => burst.press(key, i * 5));
  assert.equal(burst.press("Enter", 2000), "");
});
