// Which key does what. Keys that are single characters can be given to another command or switched off (WCAG 2.1.4);
// arrows, Enter, Escape and keys with Ctrl or ⌘ stay what they are.


// Commands with the key that each has at first, in the order in which they are listed. Classes bring their own.
export const COMMANDS = [
  { name: "large", key: " ", text: gettext("Show the cell large, and close it") },
  { name: "evidence", key: "w", text: gettext("Show the evidence for the class; with Shift and a class's key, for that class") },
  { name: "similar", key: "j", text: gettext("Show similar cells of the case") },
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

// The digit on a key that gives another character with Shift.
const digit = ({ code = "" }) => (code.startsWith("Digit") ? code.slice(5) : "");

export const classCommand = (code) => `class:${code}`;

export class Keys {
  // `changes`: what the person chose, {off: all single keys, keys: {command: key, "" for none}}.
  constructor(classes, changes) {
    this.classes = classes;
    this.changes = { off: Boolean(changes?.off), keys: { ...changes?.keys } };
    this.#bind();
  }

  #bind() {
    this.byCommand = new Map();
    this.byKey = new Map();
    const first = [...this.classes.map(({ code, key }) => ({ name: classCommand(code), key })), ...COMMANDS];
    const chosen = ({ name }) => name in this.changes.keys;
    // What the person chose comes first, so a new command of the product never takes a key away.
    for (const command of [...first.filter(chosen), ...first.filter((one) => !chosen(one))]) {
      const key = (this.changes.keys[command.name] ?? command.key ?? "").toLowerCase();
      if (this.changes.off || !key || this.byKey.has(key)) continue;
      this.byKey.set(key, command.name);
      this.byCommand.set(command.name, key);
    }
  }

  of(command) {
    return this.byCommand.get(command) ?? "";
  }

  ofClass(code) {
    return this.of(classCommand(code));
  }

  // Gives a command another key, "" for none; returns the command that has the key, and then changes nothing.
  rebind(command, key) {
    const wanted = key.toLowerCase();
    const taken = wanted && this.byKey.get(wanted);
    if (taken && taken !== command) return taken;
    this.changes.keys[command] = wanted;
    this.#bind();
    return null;
  }

  switchOff(off) {
    this.changes.off = off;
    this.#bind();
  }

  reset() {
    this.changes = { off: false, keys: {} };
    this.#bind();
  }

  // What a key press means: {command, …}, or null. `dialog`: what is open, "" for nothing, "large" for the cell.
  meaning(event, dialog = "") {
    if (isTyping(event.target) || event.isComposing || event.altKey) return null;
    if (dialog && dialog !== "large") return null;
    const { key, shiftKey: shift } = event;
    const lower = key.toLowerCase();
    if (event.ctrlKey || event.metaKey) return held(key, shift, dialog);
    if (MOVES[key]) return { command: "move", move: MOVES[key], extend: Boolean(shift && !dialog) };
    if (key === "Enter") return operates(event.target) ? null : { command: "confirm" };
    if (key === "Escape") return dialog ? null : { command: "clear" };
    if (key === " " && operates(event.target)) return null; // the button that has the focus is meant
    const name = this.byKey.get(lower) ?? (shift && this.byKey.get(digit(event)));
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

const TYPED = new Set(["text", "search", "email", "password", "number", "date", "datetime-local", "time", "url", "tel"]);

export function isTyping(target) {
  if (target?.isContentEditable) return true;
  const tag = target?.tagName;
  return tag === "TEXTAREA" || tag === "SELECT" || (tag === "INPUT" && TYPED.has(target.type || "text"));
}

// Whether Enter or Space operates what has the focus.
function operates(target) {
  return ["BUTTON", "A", "SUMMARY", "INPUT"].includes(target?.tagName);
}
