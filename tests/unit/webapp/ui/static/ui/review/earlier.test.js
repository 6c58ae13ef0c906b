// Earlier results of the patient: what is asked, how often, and what of it is shown.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { Earlier, cellsOf, classOf, resultsOf } from "../../../../../../../webapp/ui/static/ui/review/earlier.js";

const value = (count) => ({ count, percent: "1.00", absolute: null, flags: [] });
const result = (reading, problem = "") => ({ result: `r${reading}`, reading, accession: `A-${reading}`, problem });
const answer = (results, values, { now = false, older = "" } = {}) => ({
  results,
  has_now: now,
  older,
  rows: [{ class: "neutrophil", values }],
});

test("a cell is of the class that was decided, else of the one it seems", () => {
  assert.equal(classOf({ decided: "blast", suggested: "monocyte" }), "blast");
  assert.equal(classOf({ decided: null, suggested: "monocyte" }), "monocyte");
  assert.equal(classOf(null), null);
});

test("the latest result comes first, with its own value; the case itself and what cannot be read do not", () => {
  const found = resultsOf(answer([result(1), result(2, "altered"), result(3), result(9)], [value(1), null, value(3), value(9)], { now: true }), "neutrophil");
  assert.deepEqual(found.map(({ reading, value: { count } }) => [reading, count]), [[3, 3], [1, 1]]);
  assert.equal(resultsOf(answer([result(1)], [value(1)]), "blast")[0].value, null);
});

const row = (id, decided, mosaic, place) => [id, "monocyte", 0.9, 0, decided, 1, 360, mosaic, place, 0];

test("only cells that were decided to be of the class are shown", () => {
  const cells = { sections: [{ class: "neutrophil", cells: [row(5, "neutrophil", 1, 7), row(6, null, 0, 0)] }], mosaics: ["a", "b"] };
  assert.deepEqual(cellsOf(cells, "neutrophil"), [{ id: 5, side: 360, place: 7, mosaic: "b" }]);
  assert.deepEqual(cellsOf(cells, "blast"), []);
});

test("each answer is asked for once, and older ones from where the last ended", async () => {
  const asked = [];
  const pages = [answer([result(3)], [value(3)], { older: "here" }), answer([result(2)], [value(2)])];
  const earlier = new Earlier({
    earlier: async (before) => {
      asked.push(before);
      return pages.shift();
    },
    cellsOf: async (reading, code) => {
      asked.push(`${reading} ${code}`);
      return { sections: [], mosaics: [] };
    },
  });
  await earlier.results("neutrophil");
  await earlier.results("blast");
  assert.ok(earlier.hasOlder);
  const found = await earlier.results("neutrophil", { older: true });
  assert.deepEqual(found.map(({ reading }) => reading), [3, 2]);
  assert.ok(!earlier.hasOlder);
  await earlier.cells(found[0], "neutrophil");
  await earlier.cells(found[0], "neutrophil");
  assert.deepEqual(asked, [undefined, "here", "3 neutrophil"]);
});
