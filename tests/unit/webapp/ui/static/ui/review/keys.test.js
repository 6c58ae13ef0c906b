// Which key does what, and when none does anything.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { COMMANDS, Keys, classCommand } from "../../../../../../../webapp/ui/static/ui/review/keys.js";

const CLASSES = [["neutrophil", "n"], ["lymphocyte", "l"], ["promyelocyte", "1"], ["not_classed", "u"]].map(([code, key]) => ({ code, key }));
const press = (key, more = {}) => ({ key, target: { tagName: "DIV" }, ...more });
const input = (type) => ({ tagName: "INPUT", type });

test("no two commands begin with the same key", () => {
  const keys = new Keys(CLASSES);
  for (const { name, key } of COMMANDS) assert.equal(keys.of(name), key);
  for (const { code, key } of CLASSES) assert.equal(keys.ofClass(code), key);
});

test("a class's key decides, also as a capital; with Shift it asks for that class's evidence", () => {
  const keys = new Keys(CLASSES);
  assert.deepEqual(keys.meaning(press("n")), { command: "decide", code: "neutrophil" });
  assert.deepEqual(keys.meaning(press("N")), { command: "decide", code: "neutrophil" }); // Caps Lock
  assert.deepEqual(keys.meaning(press("N", { shiftKey: true })), { command: "evidence-of", code: "neutrophil" });
  assert.deepEqual(keys.meaning(press("!", { shiftKey: true, code: "Digit1" })), { command: "evidence-of", code: "promyelocyte" });
  assert.deepEqual(keys.meaning(press("?", { shiftKey: true })), { command: "help" });
  assert.equal(keys.meaning(press("ä")), null);
});

test("moves, Enter, Escape, and what goes with Ctrl or ⌘", () => {
  const keys = new Keys(CLASSES);
  assert.deepEqual(keys.meaning(press("ArrowDown", { shiftKey: true })), { command: "move", move: "down", extend: true });
  assert.deepEqual(keys.meaning(press("Enter")), { command: "confirm" });
  assert.deepEqual(keys.meaning(press("Escape")), { command: "clear" });
  assert.deepEqual(keys.meaning(press("a", { metaKey: true })), { command: "take-class" });
  assert.deepEqual(keys.meaning(press("z", { ctrlKey: true })), { command: "undo" });
  assert.deepEqual(keys.meaning(press("Z", { ctrlKey: true, shiftKey: true })), { command: "redo" });
  assert.deepEqual(keys.meaning(press(" ", { ctrlKey: true })), { command: "toggle" });
  assert.equal(keys.meaning(press("n", { ctrlKey: true })), null);
  assert.equal(keys.meaning(press("n", { altKey: true })), null);
});

test("nothing happens while somebody types, or composes a character", () => {
  const keys = new Keys(CLASSES);
  for (const target of [input("text"), input("search"), input("number"), input(""), { tagName: "TEXTAREA" }, { tagName: "SELECT" }, { isContentEditable: true }]) {
    assert.equal(keys.meaning(press("n", { target })), null);
    assert.equal(keys.meaning(press("Enter", { target })), null);
  }
  assert.equal(keys.meaning(press("n", { isComposing: true })), null);
  assert.deepEqual(keys.meaning(press("n", { target: input("checkbox") })), { command: "decide", code: "neutrophil" });
});

test("Enter and Space operate the button that has the focus, and nothing else", () => {
  const keys = new Keys(CLASSES);
  const target = { tagName: "BUTTON" };
  assert.equal(keys.meaning(press("Enter", { target })), null);
  assert.equal(keys.meaning(press(" ", { target })), null);
  assert.deepEqual(keys.meaning(press(" ")), { command: "large" });
});

test("while a dialog is open only what concerns the large cell works, and only in its dialog", () => {
  const keys = new Keys(CLASSES);
  for (const key of ["n", "Enter", "ArrowRight", "z", " "]) assert.equal(keys.meaning(press(key), "other"), null);
  assert.deepEqual(keys.meaning(press("n"), "large"), { command: "decide", code: "neutrophil" });
  assert.deepEqual(keys.meaning(press("Enter"), "large"), { command: "confirm" });
  assert.deepEqual(keys.meaning(press("ArrowRight", { shiftKey: true }), "large"), { command: "move", move: "right", extend: false });
  assert.deepEqual(keys.meaning(press("w"), "large"), { command: "evidence" });
  for (const key of ["f", "j", "+", "Escape"]) assert.equal(keys.meaning(press(key), "large"), null);
  assert.equal(keys.meaning(press("a", { ctrlKey: true }), "large"), null);
});

test("a command gets another key, but not one that has a meaning", () => {
  const keys = new Keys(CLASSES);
  assert.equal(keys.rebind(classCommand("neutrophil"), "l"), classCommand("lymphocyte"));
  assert.equal(keys.rebind(classCommand("neutrophil"), "W"), "evidence");
  assert.equal(keys.ofClass("neutrophil"), "n");
  assert.equal(keys.rebind(classCommand("neutrophil"), "Ä"), null);
  assert.deepEqual([keys.ofClass("neutrophil"), keys.meaning(press("n"))], ["ä", null]);
  assert.deepEqual(keys.meaning(press("ä")), { command: "decide", code: "neutrophil" });
  assert.equal(keys.rebind(classCommand("lymphocyte"), "n"), null); // it is free now
});

test("a key is switched off, all are, and all come back", () => {
  const keys = new Keys(CLASSES);
  keys.rebind("undo", "");
  assert.equal(keys.meaning(press("z")), null);
  assert.deepEqual(keys.meaning(press("z", { ctrlKey: true })), { command: "undo" });
  keys.switchOff(true);
  assert.equal(keys.meaning(press("n")), null);
  assert.deepEqual(keys.meaning(press("Enter")), { command: "confirm" });
  assert.deepEqual(keys.meaning(press("ArrowLeft")), { command: "move", move: "left", extend: false });
  keys.reset();
  assert.deepEqual([keys.meaning(press("z")), keys.of("undo")], [{ command: "undo" }, "z"]);
});

test("what a person chose is kept, and a class that the lab adds takes no key away from it", () => {
  const keys = new Keys(CLASSES);
  keys.rebind(classCommand("neutrophil"), "ä");
  const later = new Keys([{ code: "new", key: "ä" }, ...CLASSES], JSON.parse(JSON.stringify(keys.changes)));
  assert.deepEqual([later.ofClass("neutrophil"), later.ofClass("new")], ["ä", ""]);
});

test("arrows with Ctrl or ⌘ move and keep the selection, and mean nothing while a dialog is open", () => {
  const keys = new Keys(CLASSES);
  const kept = { command: "move", move: "right", keep: true };
  assert.deepEqual(keys.meaning(press("ArrowRight", { ctrlKey: true })), kept);
  assert.deepEqual(keys.meaning(press("ArrowRight", { metaKey: true })), kept);
  assert.equal(keys.meaning(press("ArrowRight", { ctrlKey: true }), "large"), null);
});
