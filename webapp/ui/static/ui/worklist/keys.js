// Which key does what in the worklist. Arrows and Enter stay what they are.

import { KeyMap, isTyping, operates } from "../keys.js";
import { FASTEST_HAND } from "../scan/burst.js";

export const COMMANDS = [
  { name: "next", key: "j", text: gettext("Next case") },
  { name: "previous", key: "k", text: gettext("Case before") },
  { name: "take", key: "a", text: gettext("Take the case") },
  { name: "search", key: "/", text: gettext("Search by accession") },
  { name: "help", key: "?", text: gettext("Show all keys") },
];

export const FIXED = [
  { keys: ["↑", "↓"], text: gettext("Move from case to case") },
  { keys: ["Enter"], text: gettext("Open the case") },
  { keys: ["Esc"], text: gettext("Close what is open") },
];

const MOVES = { ArrowDown: "next", ArrowUp: "previous" };

export class WorklistKeys extends KeyMap {
  constructor(changes) {
    super(COMMANDS, changes);
  }

  // The command that a key press means, or null. `isInList`: the focus is in the table, or nowhere.
  meaning(event, isInList = true) {
    if (isTyping(event.target) || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return null;
    if (MOVES[event.key]) return isInList ? MOVES[event.key] : null;
    if (event.key === " " && operates(event.target)) return null; // the button that has the focus is meant
    return this.commandOf(event) ?? null;
  }
}

// Which row comes `step` behind that of the focus, -1 for none.
export function rowBehind(rows, now, step) {
  if (!rows) return -1;
  if (now < 0) return step > 0 ? 0 : rows - 1;
  return Math.min(rows - 1, Math.max(0, now + step));
}

// Does what a single key means, once it is sure that a hand pressed it: what a barcode reader types has the same characters.
export class ByHand {
  #last = -Infinity;
  #waits = null;

  press(at, act) {
    const isFast = at - this.#last <= FASTEST_HAND;
    this.#last = at;
    clearTimeout(this.#waits);
    if (act && !isFast) this.#waits = setTimeout(act, FASTEST_HAND + 10);
  }
}
