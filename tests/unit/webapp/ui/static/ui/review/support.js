// Cells for a store, and a workbench with a queue that a test answers.

import { Bench } from "../../../../../../../webapp/ui/static/ui/review/bench.js";
import { Store } from "../../../../../../../webapp/ui/static/ui/review/store.js";
import { Undo } from "../../../../../../../webapp/ui/static/ui/review/undo.js";

export const ME = 1;
export const ORDER = ["unidentified", "erythroblast", "basophil", "neutrophil", "lymphocyte"];

export const row = (id, suggested, confidence = 0.9, { flagged = 0, decided = null, by = null } = {}) => [
  id, suggested, confidence, flagged, decided, by, 360, 0, id % 96, 0,
];

export function answer(sections, more = {}) {
  return {
    revision: 0,
    mosaics: ["/tiles/1.jpg"],
    people: {},
    sections: Object.entries(sections).map(([code, cells]) => ({
      class: code,
      count: cells.length,
      undecided: cells.filter(([, , , , decided]) => !decided).length,
      next: null,
      cells,
    })),
    ...more,
  };
}

export function filled(sections, more) {
  const store = new Store({ order: ORDER, me: ME });
  store.replace(answer(sections, more));
  return store;
}

export const ids = (store, code) => store.section(code)?.cells.map(({ id }) => id) ?? [];

// A workbench over these cells: `sent` are the bodies that went out; the server takes whatever comes, but for what a
// test has it do instead.
export function bench(store, { send, onScreen } = {}) {
  const sent = [];
  const said = [];
  const went = [];
  let gestures = 0;
  const take = ({ effect, confirm }) => ({
    revision: store.revision + effect.length,
    applied: effect.map(([cell, code]) => [cell, code, confirm ? 1 : 0]),
    conflicts: [],
    changes: [],
  });
  const made = new Bench({
    store,
    send: async (gesture) => {
      sent.push(gesture);
      return (send ?? take)(gesture, take);
    },
    undo: new Undo(),
    newId: () => `g${(gestures += 1)}`,
    nameOf: (code) => code,
    onScreen: onScreen ?? ((code) => made.sections.find((one) => one.code === code)?.cells.map(({ id }) => id) ?? []),
    say: (text) => said.push(text),
    goTo: (id, how) => went.push([id, how.rest]),
    show: () => {},
    keep: () => {},
  });
  return { bench: made, sent, said, went, settled: () => new Promise((resolve) => setImmediate(resolve)) };
}
