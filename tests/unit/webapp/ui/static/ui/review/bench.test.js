// What gestures do: at once on the page, then on the server, and back.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { BATCH } from "../../../../../../../webapp/ui/static/ui/review/limits.js";
import { Final } from "../../../../../../../webapp/ui/static/ui/upload/retry.js";
import { answer, bench, filled, ids, row } from "./support.js";

const cells = () =>
  filled({
    unidentified: [row(1, "lymphocyte", 0.4, { flagged: 1 }), row(2, "basophil", 0.5, { flagged: 1 }), row(3, null, null)],
    neutrophil: [row(11, "neutrophil", 0.6), row(12, "neutrophil", 0.7), row(13, "neutrophil", 0.8)],
    lymphocyte: [row(21, "lymphocyte", 0.9)],
  });

test("it begins at the first undecided cell", () => {
  const { bench: made } = bench(cells());
  made.start();
  assert.equal(made.selection.focus, 3); // nothing is suggested for it: the least sure of all
});

test("a class's key moves the focused cell, and goes on to the next undecided", async () => {
  const store = cells();
  const { bench: made, sent, said, settled } = bench(store);
  made.selection.go(1);
  made.decide("neutrophil");
  assert.deepEqual(ids(store, "neutrophil"), [11, 12, 13, 1]);
  assert.equal(made.selection.focus, 2);
  assert.deepEqual(sent[0].decisions, [{ cell: 1, class: "neutrophil" }]);
  assert.equal(said.at(-1), "1 cell is now neutrophil.");
  await settled();
  assert.equal(store.pending.length, 0);
  assert.equal(store.get(1).said.code, "neutrophil");
});

test("Enter among the unidentified confirms the focused cell alone, never what is on the screen", () => {
  const store = cells();
  const { bench: made, sent } = bench(store);
  made.selection.go(1);
  made.confirm();
  assert.deepEqual(sent[0].confirm, [1]);
  assert.equal(store.get(1).decided, "lymphocyte");
  assert.equal(made.selection.focus, 2);
});

test("Enter among the unidentified confirms no cell that is not to be seen, but shows it", () => {
  const { bench: made, sent, said, went } = bench(cells(), { onScreen: () => [2] });
  made.selection.go(1);
  assert.deepEqual(made.confirmable, []);
  made.confirm();
  assert.equal(sent.length, 0);
  assert.equal(made.selection.focus, 1);
  assert.equal(went.at(-1)[0], 1);
  assert.match(said.at(-1), /not to be seen/);
});

test("Enter on a cell for which nothing is suggested says so and records nothing", () => {
  const { bench: made, sent, said } = bench(cells());
  made.selection.go(3);
  made.confirm();
  assert.equal(sent.length, 0);
  assert.match(said.at(-1), /suggests nothing/);
});

test("Enter in a class confirms what is on the screen of it, and goes on: first there, then in the next class", () => {
  const store = cells();
  const shown = { neutrophil: [11, 12], lymphocyte: [21] };
  const { bench: made, sent, went } = bench(store, { onScreen: (code) => shown[code] });
  made.selection.go(11);
  made.confirm();
  assert.deepEqual(sent[0].confirm, [11, 12]);
  assert.deepEqual([made.selection.focus, went.at(-1)], [13, [13, true]]);
  assert.equal(store.get(13).decided, null);
  shown.neutrophil = [12, 13];
  made.confirm();
  assert.equal(made.selection.focus, 21);
  assert.deepEqual(went.at(-1), [21, true]);
});

test("Enter confirms a selection, whatever is on the screen, but not what is decided", () => {
  const store = cells();
  const { bench: made, sent } = bench(store);
  made.selection.go(11);
  made.decide("basophil");
  made.selection.take([11, 1, 13, 3]);
  made.confirm();
  assert.deepEqual(made.selection.chosen.size, 0);
  assert.deepEqual(store.pending.at(-1).confirm, [1, 13]);
  assert.equal(sent.length, 1); // the second waits for the first's answer
});

test("when all are decided it says so", () => {
  const store = filled({ neutrophil: [row(1, "neutrophil"), row(2, "neutrophil")] });
  const { bench: made, said } = bench(store);
  made.start();
  made.confirm();
  assert.equal(said.at(-1), "All cells that are shown are decided.");
  assert.equal(store.undecided, 0);
});

test("undo shows at once what was before, and redo what was after", async () => {
  const store = cells();
  const { bench: made, sent, settled } = bench(store);
  made.selection.take([11, 12]);
  made.decide("lymphocyte");
  await settled();
  made.takeBack();
  assert.deepEqual([store.get(11).decided, ids(store, "neutrophil"), made.selection.focus], [null, [11, 12, 13], 11]);
  await settled();
  assert.deepEqual([sent[1].undo, store.get(11).decided], [sent[0].id, null]);
  made.redo();
  await settled();
  assert.deepEqual([sent[2].undo, store.get(12).decided], [sent[1].id, "lymphocyte"]);
  made.takeBack();
  made.takeBack();
  await settled();
  assert.equal(sent.length, 4); // there was nothing more to undo
});

test("more cells than the API takes at once go in parts, and are one deed", async () => {
  const store = filled({ neutrophil: Array.from({ length: BATCH + 5 }, (_, i) => row(i + 1, "neutrophil")) });
  const { bench: made, sent, settled } = bench(store);
  made.start();
  made.takeClass();
  made.confirm();
  for (let n = 0; n < 5; n += 1) await settled();
  assert.deepEqual(sent.map(({ confirm }) => confirm.length), [BATCH, 5]);
  assert.equal(store.undecided, 0);
  made.takeBack();
  assert.equal(store.undecided, BATCH + 5);
});

test("what others decided meanwhile is not overwritten: it is shown, and asked", async () => {
  const store = cells();
  const first = { send: () => ({ revision: 4, applied: [[12, "basophil", 0]], conflicts: [{ cell: 11, class: "lymphocyte", by: 7, number: 3 }], people: { 7: "Dr B" } }) };
  const { bench: made, sent, said, settled } = bench(store, { send: (gesture, take) => (sent.length === 1 ? first.send() : take(gesture)) });
  made.selection.take([11, 12]);
  made.decide("basophil");
  await settled();
  assert.deepEqual([store.get(11).decided, store.get(11).by], ["lymphocyte", 7]);
  assert.deepEqual(made.conflicts, [{ cell: 11, class: "lymphocyte", by: 7, number: 3, wanted: "basophil" }]);
  assert.equal(said.at(-1), "1 cell is not as you saw it.");
  made.resolve([11], true);
  await settled();
  assert.deepEqual([sent[1].base, sent[1].decisions, store.get(11).decided], [4, [{ cell: 11, class: "basophil" }], "basophil"]);
  assert.deepEqual(made.conflicts, []);
});

test("what is decided again is said in the same words", async () => {
  const store = cells();
  const late = { revision: 4, applied: [], conflicts: [{ cell: 11, class: "lymphocyte", by: 7, number: 3 }] };
  const { bench: made, sent, settled } = bench(store, { send: (gesture, take) => (sent.length === 1 ? late : take(gesture)) });
  made.decide("other", { ids: [11], words: "hairy" });
  await settled();
  made.resolve([11], true);
  assert.deepEqual(sent[1].decisions, [{ cell: 11, class: "other", words: "hairy" }]);
});

test("a conflict that is left to the other stays as it is", async () => {
  const store = cells();
  const { bench: made, sent, settled } = bench(store, { send: () => ({ revision: 2, conflicts: [{ cell: 11, class: "lymphocyte", by: 7, number: 1 }] }) });
  made.selection.go(11);
  made.decide("basophil");
  await settled();
  made.resolve([11], false);
  assert.deepEqual([sent.length, made.conflicts.length, store.get(11).decided], [1, 0, "lymphocyte"]);
});

test("the revision of a gesture is the one that the person saw", async () => {
  const store = filled({ neutrophil: [row(1, "neutrophil")] }, { revision: 3 });
  const { bench: made, sent } = bench(store);
  made.start();
  made.decide("basophil");
  made.heard({ revision: 9, changes: [] });
  assert.equal(sent[0].base, 3);
});

test("where the model was asked again, what is confirmed is what was seen, or it is asked", async () => {
  const store = cells();
  const now = { cell: 11, class: null, by: null, number: 0, suggested: "basophil", flagged: false };
  const { bench: made, sent, settled } = bench(store, { send: () => ({ revision: 0, applied: [], conflicts: [now] }) });
  made.selection.take([11]);
  made.confirm();
  await settled();
  assert.deepEqual([sent[0].confirm, sent[0].seen], [[11], ["neutrophil"]]);
  assert.deepEqual(made.conflicts, [{ ...now, wanted: "neutrophil" }]);
  assert.deepEqual([store.get(11).decided, store.get(11).section], [null, "basophil"]);
});

test("what the server does not want is taken back on the page, and why is said", async () => {
  const store = cells();
  const { bench: made, settled } = bench(store, { send: () => Promise.reject(new Final("The review is over.")) });
  made.selection.go(11);
  made.decide("basophil");
  assert.equal(store.get(11).decided, "basophil");
  await settled();
  assert.deepEqual([store.get(11).decided, made.failure], [null, "Not recorded: The review is over."]);
  assert.deepEqual(made.undo.done, []);
});

test("similar cells are a view of their own, in which only a selection or the focused cell is confirmed", () => {
  const store = cells();
  const { bench: made } = bench(store);
  made.selection.go(11);
  const { sections, mosaics } = answer({ similar: [row(21, "lymphocyte", 0.9), row(31, "basophil", 0.8)] });
  made.showSimilar(11, { cells: sections[0].cells, mosaics });
  assert.deepEqual([made.sections.map(({ code }) => code), made.selection.focus], [["similar"], 21]);
  assert.equal(store.get(31).section, "basophil");
  made.confirm();
  assert.deepEqual([store.get(21).decided, store.get(31).decided, made.selection.focus], ["lymphocyte", null, 31]);
  made.clear();
  assert.deepEqual([made.similar, made.selection.focus], [null, 11]);
});

test("a move that keeps the selection leads to a cell that is added to it", () => {
  const { bench: made, said } = bench(cells());
  made.selection.go(11);
  made.selection.toggle(11);
  made.move("right", { columns: 3, rows: 1, keep: true });
  made.move("right", { columns: 3, rows: 1, keep: true });
  made.selection.toggle(made.selection.focus);
  assert.deepEqual(made.selection.targets, [11, 13]);
  made.move("left", { columns: 3, rows: 1 });
  assert.deepEqual([made.selection.targets, said.at(-1)], [[12], ""]); // no selection is spoken of that is none
});

test("a gesture of which nothing was done, because others had decided, is none that is undone", async () => {
  const conflicts = [{ cell: 11, class: "lymphocyte", by: 7, number: 3 }];
  const { bench: made, sent, said, settled } = bench(cells(), {
    send: () => ({ revision: 4, applied: [], conflicts, people: { 7: "Dr B" } }),
  });
  made.selection.go(11);
  made.decide("basophil");
  await settled();
  made.takeBack();
  assert.equal(sent.length, 1);
  assert.match(said.at(-1), /nothing to undo/);
});
