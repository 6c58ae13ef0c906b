// Telling a barcode reader, which types like a keyboard, from a hand: it is faster, and ends with Enter or Tab.

export const FASTEST_HAND = 50; // ms between two keys
export const SHORTEST = 4; // characters of what a label says
const HELD = new Set(["Shift", "AltGraph", "CapsLock"]);

export class Burst {
  text = "";
  last = -Infinity;

  // A key was pressed at `at` (ms). Gives what was read where this key ends it, and else "".
  press(key, at) {
    const isFast = at - this.last <= FASTEST_HAND;
    this.last = at;
    if (key === "Enter" || key === "Tab") {
      const read = isFast && this.text.length >= SHORTEST ? this.text : "";
      this.text = "";
      return read;
    }
    if (HELD.has(key)) return "";
    if (key.length !== 1) this.text = "";
    else this.text = isFast ? this.text + key : key;
    return "";
  }
}
