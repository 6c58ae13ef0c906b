// Which key does what in a review. Arrows, Enter, Escape and keys with Ctrl or ⌘ stay what they are.

import { KeyMap, isTyping, operates } from "../keys.js";

// Commands with the key that each has at first, in the order in which they are listed. Classes bring their own.
export const COMMANDS = [
  { name: "large", key: " ", text: gettext("Show the cell large, and close it") },
  { name: "evidence", key: "w", text: gettext("Show the evidence for the class; with Shift and a class's key, for that class") },
  { name: "similar", key: "j", text: gettext("Show similar cells of the case") },
  { name: "earlier", key: "q", text: gettext("Show the class's cells in the patient's earlier signed results") },
  { name: "undo", key: "z", text: gettext("Undo (also Ctrl+Z or ⌘Z)") },
  { name: "redo", key: "y", text: gettext("Redo (also Ctrl+Shift+Z or ⇧⌘Z)") },
  { name: "remarks", key: "k", text: gettext("Remark on red cells, white cells and platelets") },
  { name: "filter", key: "f", text: gettext("Filter by class, confidence, person or file") },
  { name: "previous-section", key: "[", text: gettext("Go to the class before") },
  { name: "next-section", key: "]", text: gettext("Go to the next class") },
  { name: "larger", key: "+", text: gettext("Larger cells") },
  { name: "smaller", key: "-", text: gettext("Smaller cells") },
  { name: "help", key: "?", text: gettext("Show all keys") },
];

// What has no character of its own.
export const FIXED = [
  { keys: ["←", "→", "↑", "↓"], text: gettext("Move from cell to cell") },
  { keys: ["Home", "End"], text: gettext("First and last cell of the class") },
  { keys: ["PgUp", "PgDn"], text: gettext("A screen up or down") },
  { keys: ["⇧ ←", "⇧ →", "⇧ ↑", "⇧ ↓"], text: gettext("Select from here to there") },
  { keys: [gettext("Ctrl ←"), gettext("Ctrl →")], text: gettext("Move and keep the selection (⌘← ⌘→)") },
  { keys: [gettext("Ctrl A")], text: gettext("Select the whole class (⌘A)") },
  { keys: [gettext("Ctrl Space")], text: gettext("Add the cell to the selection, or take it out") },
  { keys: ["Enter"], text: gettext("Confirm the selection; without one, the cells of the class that are on the screen; then go on") },
  { keys: ["Esc"], text: gettext("Give up the selection, or close what is open") },
];

const MOVES = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "first",
  End: "last",
  PageUp: "page-up",
  PageDown: "page-down",
};

// What may be done to the cell that is shown large.
const IN_LARGE = new Set(["large", "evidence", "undo", "redo", "help"]);

export const classCommand = (code) => `class:${code}`;

export class Keys extends KeyMap {
  constructor(classes, changes) {
    super([...classes.map(({ code, key }) => ({ name: classCommand(code), key })), ...COMMANDS], changes);
  }

  ofClass(code) {
    return this.of(classCommand(code));
  }

  // What a key press means: {command, …}, or null. `dialog`: what is open, "" for nothing, "large" for the cell.
  meaning(event, dialog = "") {
    if (isTyping(event.target) || event.isComposing || event.altKey) return null;
    if (dialog && dialog !== "large") return null;
    const { key, shiftKey: shift } = event;
    if (event.ctrlKey || event.metaKey) return held(key, shift, dialog);
    if (MOVES[key]) return { command: "move", move: MOVES[key], extend: Boolean(shift && !dialog) };
    if (key === "Enter") return operates(event.target) ? null : { command: "confirm" };
    if (key === "Escape") return dialog ? null : { command: "clear" };
    if (key === " " && operates(event.target)) return null; // the button that has the focus is meant
    const name = this.commandOf(event);
    if (!name) return null;
    if (name.startsWith("class:")) return { command: shift ? "evidence-of" : "decide", code: name.slice(6) };
    return dialog && !IN_LARGE.has(name) ? null : { command: name };
  }
}

function held(name, shift, dialog) {
  const key = name.toLowerCase();
  if (key === "z") return { command: shift ? "redo" : "undo" };
  if (key === "y") return { command: "redo" };
  if (dialog) return null;
  if (MOVES[name]) return { command: "move", move: MOVES[name], ...(shift ? { extend: true } : { keep: true }) };
  if (key === "a") return { command: "take-class" };
  return key === " " ? { command: "toggle" } : null;
}
