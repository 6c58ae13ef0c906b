// Keys of a page: which key does what. Keys that are single characters can be given to another command or switched off
// (WCAG 2.1.4).

// The digit on a key that gives another character with Shift.
const digit = ({ code = "" }) => (code.startsWith("Digit") ? code.slice(5) : "");

export class KeyMap {
  // `commands`: {name, key} each, in the order in which they take keys. `changes`: what the person chose,
  // {off: all single keys, keys: {command: key, "" for none}}.
  constructor(commands, changes) {
    this.commands = commands;
    this.changes = { off: Boolean(changes?.off), keys: { ...changes?.keys } };
    this.#bind();
  }

  #bind() {
    this.byCommand = new Map();
    this.byKey = new Map();
    const chosen = ({ name }) => name in this.changes.keys;
    // What the person chose comes first, so a new command of the product never takes a key away.
    for (const command of [...this.commands.filter(chosen), ...this.commands.filter((one) => !chosen(one))]) {
      const key = (this.changes.keys[command.name] ?? command.key ?? "").toLowerCase();
      if (this.changes.off || !key || this.byKey.has(key)) continue;
      this.byKey.set(key, command.name);
      this.byCommand.set(command.name, key);
    }
  }

  of(command) {
    return this.byCommand.get(command) ?? "";
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

  // The command of a key press, whatever else it may mean.
  commandOf(event) {
    return this.byKey.get(event.key.toLowerCase()) ?? (event.shiftKey ? this.byKey.get(digit(event)) : undefined);
  }
}

const TYPED = new Set(["text", "search", "email", "password", "number", "date", "datetime-local", "time", "url", "tel"]);

export function isTyping(target) {
  if (target?.isContentEditable) return true;
  const tag = target?.tagName;
  return tag === "TEXTAREA" || tag === "SELECT" || (tag === "INPUT" && TYPED.has(target.type || "text"));
}

// Whether Enter or Space operates what has the focus.
export function operates(target) {
  return ["BUTTON", "A", "SUMMARY", "INPUT"].includes(target?.tagName);
}

export const keyName = (key) => {
  if (key === " ") return gettext("Space");
  return key.length === 1 ? key.toUpperCase() : key;
};
