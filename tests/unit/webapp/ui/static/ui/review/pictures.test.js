// How cells are cut from mosaics, and which mosaics are there.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { Pictures, cellsIn, cut, reference, sized } from "../../../../../../../webapp/ui/static/ui/review/pictures.js";
import { atOnce } from "../upload/support.js";

const sides = (...all) => all.map((side) => ({ side }));
const mosaic = `/cases/x-y/tiles/${Array.from({ length: 30 }, (_, i) => i + 1).join("-")}.jpg`;

test("a cell is cut from its place, as large as its picture is beside others", () => {
  assert.equal(cellsIn(mosaic), 30);
  assert.deepEqual(cut({ mosaic, place: 13, side: 360 }, 100, 360), { shown: 100, width: 1200, left: 100, top: 100 });
  // A smaller picture is drawn smaller, at the same scale.
  assert.deepEqual(cut({ mosaic, place: 1, side: 180 }, 100, 360), { shown: 50, width: 600, left: 50, top: 0 });
  // Of a larger one the middle is shown.
  assert.deepEqual(cut({ mosaic, place: 0, side: 720 }, 100, 360), { shown: 100, width: 2400, left: 50, top: 50 });
});

test("a mosaic of few cells has fewer columns", () => {
  assert.equal(cut({ mosaic: "/tiles/1-2-3.jpg", place: 2, side: 360 }, 100, 360).width, 300);
});

test("one large picture does not make all others small", () => {
  assert.equal(reference(sides(...Array.from({ length: 19 }, () => 360), 4000)), 360);
  assert.equal(reference([]), 1);
});

test("small pictures are asked for where they are sharp enough", () => {
  assert.equal(sized("/tiles/1.jpg", 92), "/tiles/1.jpg?small");
  assert.equal(sized("/tiles/1.jpg", 148), "/tiles/1.jpg");
});

test("a mosaic is asked for once, and again after a while where it could not be had", async (t) => {
  const waits = atOnce(t);
  const asked = [];
  const pictures = new Pictures({
    load: async (address) => {
      asked.push(address);
      if (asked.length < 3) throw new Error("503");
    },
    show: () => {},
  });
  pictures.want("a");
  pictures.want("a");
  assert.equal(pictures.ready("a"), false);
  assert.ok(pictures.waiting);
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([asked.length, pictures.ready("a"), pictures.waiting], [3, true, false]);
  assert.equal(waits.length, 2);
});
