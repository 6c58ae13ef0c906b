// What can be undone and redone: one gesture at a time, back to the start of the work on this case.

import { CELLS_KEPT, UNDO_KEPT } from "./limits.js";

// A deed is a list of gestures, because one of more cells than the API takes at once is sent in parts.
export class Undo {
  done = [];
  undone = [];

  constructor(kept) {
    this.done = kept?.done ?? [];
    this.undone = kept?.undone ?? [];
  }

  // What is kept over a reload: the last deeds, as many as are written in no time.
  get kept() {
    return { done: lastOf(this.done), undone: lastOf(this.undone) };
  }

  did(deed) {
    this.done = [...this.done, deed].slice(-UNDO_KEPT);
    this.undone = [];
  }

  // The gestures that take the last deed back, to be sent; none where there is nothing.
  undo(newId) {
    const deed = this.done.pop();
    if (!deed) return [];
    const opposite = against(deed, newId);
    this.undone.push(opposite);
    return opposite;
  }

  redo(newId) {
    const deed = this.undone.pop();
    if (!deed) return [];
    const opposite = against(deed, newId);
    this.done.push(opposite);
    return opposite;
  }

  // A gesture that was never recorded can be neither undone nor redone.
  forget(id) {
    const without = (deeds) => deeds.map((deed) => deed.filter((gesture) => gesture.id !== id)).filter((deed) => deed.length);
    this.done = without(this.done);
    this.undone = without(this.undone);
  }
}

function lastOf(deeds) {
  let cells = 0;
  let first = deeds.length;
  while (first > 0) {
    cells += deeds[first - 1].reduce((sum, { effect }) => sum + effect.length, 0);
    if (cells > CELLS_KEPT) break;
    first -= 1;
  }
  return deeds.slice(first);
}

// Last part first.
function against(deed, newId) {
  return deed.toReversed().map(({ id, effect, before }) => ({ id: newId(), undo: id, effect: before, before: effect }));
}
