// Cells in sections, what is shown before it is answered, and what is heard of others.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { ME, answer, filled, ids, row } from "./support.js";

const neutrophils = [row(1, "neutrophil", 0.6), row(2, "neutrophil", 0.7), row(3, "neutrophil", 0.8)];

test("sections come in the order of the review, cells least sure first and decided ones last", () => {
  const store = filled({
    neutrophil: [row(3, "neutrophil", 0.8), row(1, "neutrophil", 0.6), row(4, "neutrophil", 0.5, { decided: "neutrophil", by: 2 })],
    unidentified: [row(9, "lymphocyte", 0.4, { flagged: 1 })],
  });
  assert.deepEqual(store.sections.map(({ code, count, undecided }) => [code, count, undecided]), [
    ["unidentified", 1, 1],
    ["neutrophil", 3, 2],
  ]);
  assert.deepEqual(ids(store, "neutrophil"), [1, 3, 4]);
});

test("what is confirmed keeps its place, what is moved goes behind the others and comes back to its own", () => {
  const store = filled({ neutrophil: neutrophils, lymphocyte: [row(5, "lymphocyte")] });
  store.begin({ id: "a", effect: [[2, "neutrophil"]] });
  assert.deepEqual(ids(store, "neutrophil"), [1, 2, 3]);
  store.begin({ id: "b", effect: [[1, "lymphocyte"]] });
  assert.deepEqual([ids(store, "neutrophil"), ids(store, "lymphocyte")], [[2, 3], [5, 1]]);
  store.begin({ id: "c", effect: [[1, ""]] });
  assert.deepEqual([ids(store, "neutrophil"), ids(store, "lymphocyte")], [[1, 2, 3], [5]]);
  assert.equal(store.get(1).decided, null);
});

test("what is suggested anew moves what nobody decided, and nothing else", () => {
  const store = filled({ neutrophil: neutrophils, lymphocyte: [row(5, "lymphocyte")] });
  store.begin({ id: "a", effect: [[2, "neutrophil"]] });
  const anew = [row(1, "lymphocyte", 0.9), row(2, "basophil", 0.9), row(3, "neutrophil", 0.3, { flagged: 1 })];
  const others = store.suggest({ sections: [{ cells: anew }] });
  assert.equal(others, false);
  assert.deepEqual(
    store.sections.map(({ code, undecided }) => [code, ids(store, code), undecided]),
    [["unidentified", [3], 1], ["neutrophil", [2], 0], ["lymphocyte", [1, 5], 2]],
  );
  assert.deepEqual([store.get(2).decided, store.get(2).suggested, store.get(1).confidence], ["neutrophil", "basophil", 0.9]);
  assert.equal(store.suggest({ sections: [{ cells: [row(1, "lymphocyte", 0.9), row(7, "basophil")] }] }), true);
  assert.equal(store.get(7), undefined);
});

test("a gesture is shown at once, and is as if it had not been when the server does not want it", () => {
  const store = filled({ neutrophil: neutrophils });
  const gesture = { id: "a", effect: [[1, "basophil"]] };
  store.begin(gesture);
  assert.deepEqual([store.get(1).decided, store.get(1).by, store.undecided], ["basophil", ME, 2]);
  store.drop(gesture);
  assert.deepEqual([store.get(1).decided, store.undecided], [null, 3]);
});

test("of two gestures on one cell the later is shown, also once the first is answered", () => {
  const store = filled({ neutrophil: neutrophils });
  const [first, second] = [{ id: "a", effect: [[1, "basophil"]] }, { id: "b", effect: [[1, "lymphocyte"]] }];
  store.begin(first);
  store.begin(second);
  store.end(first, { revision: 1, applied: [[1, "basophil", 0]] });
  assert.equal(store.get(1).decided, "lymphocyte");
  store.end(second, { revision: 2, applied: [[1, "lymphocyte", 0]] });
  assert.deepEqual([store.get(1).decided, store.revision], ["lymphocyte", 2]);
});

test("a cell in conflict is shown as the server has it, with whose decision it is", () => {
  const store = filled({ neutrophil: neutrophils });
  const gesture = { id: "a", effect: [[1, "basophil"], [2, "basophil"]] };
  store.begin(gesture);
  store.end(gesture, {
    revision: 3,
    applied: [[2, "basophil", 0]],
    conflicts: [{ cell: 1, class: "lymphocyte", by: 7, number: 1 }],
    people: { 7: "Dr B" },
  });
  assert.deepEqual([store.get(1).decided, store.get(1).by, store.people[7]], ["lymphocyte", 7, "Dr B"]);
  assert.deepEqual([store.get(2).decided, store.get(2).by], ["basophil", ME]);
});

test("what others did is shown, unless the person did something since that is not answered", () => {
  const store = filled({ neutrophil: neutrophils });
  store.begin({ id: "a", effect: [[1, "basophil"]] });
  store.hear({ revision: 5, changes: [{ cell: 1, class: "lymphocyte", by: 7 }, { cell: 2, class: "lymphocyte", by: 7 }, { cell: 99, class: "basophil", by: 7 }] });
  assert.deepEqual([store.get(1).decided, store.get(2).decided, store.revision], ["basophil", "lymphocyte", 5]);
  store.hear({ revision: 6, changes: [{ cell: 2, class: "", by: 7 }] });
  assert.deepEqual([store.get(2).decided, store.get(2).by], [null, null]);
});

test("an older answer does not take the revision back", () => {
  const store = filled({ neutrophil: neutrophils }, { revision: 8 });
  store.hear({ revision: 3, changes: [] });
  assert.equal(store.revision, 8);
});

test("cells that were not loaded are counted, and no longer once they come", () => {
  const store = filled({});
  const page = answer({ neutrophil: neutrophils.slice(0, 2) });
  Object.assign(page.sections[0], { count: 3, undecided: 3, next: "after-2" });
  store.replace(page);
  assert.deepEqual([store.undecided, store.section("neutrophil").next], [3, "after-2"]);
  assert.equal(store.section("neutrophil").count, 3);
  store.begin({ id: "a", effect: [[1, "neutrophil"]] });
  assert.equal(store.undecided, 2);
  const more = answer({ neutrophil: [neutrophils[1], neutrophils[2]] }); // one is there already
  Object.assign(more.sections[0], { count: 3, undecided: 2 });
  store.add(more);
  assert.deepEqual([ids(store, "neutrophil"), store.section("neutrophil").count, store.undecided], [[1, 2, 3], 3, 2]);
});

test("beginning anew keeps what is pending", () => {
  const store = filled({ neutrophil: neutrophils });
  store.begin({ id: "a", effect: [[1, "basophil"]] });
  store.replace(answer({ neutrophil: neutrophils }));
  assert.equal(store.get(1).decided, "basophil");
  assert.deepEqual(ids(store, "basophil"), [1]);
});

test("a class that the order does not know stands at the end", () => {
  const store = filled({ neutrophil: [row(1, "neutrophil", 0.9, { decided: "smudge", by: 2 })], unidentified: [row(2, null, null)] });
  assert.deepEqual(store.sections.map(({ code }) => code), ["unidentified", "smudge"]);
});

test("15,000 cells are sorted anew in less than a screen's refresh", () => {
  const many = Array.from({ length: 15_000 }, (_, i) => row(i + 1, i % 2 ? "neutrophil" : "lymphocyte", 0.5 + i / 40_000));
  const store = filled({ neutrophil: many.filter(([, code]) => code === "neutrophil"), lymphocyte: many.filter(([, code]) => code === "lymphocyte") });
  const began = performance.now();
  for (let n = 0; n < 10; n += 1) {
    store.begin({ id: `${n}`, effect: Array.from({ length: 200 }, (_, i) => [n * 200 + i + 1, "basophil"]) });
  }
  assert.ok((performance.now() - began) / 10 < 100, `${(performance.now() - began) / 10} ms`);
  assert.equal(store.section("basophil").count, 2000);
});
