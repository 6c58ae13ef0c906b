// Where cells lie, which are drawn, and where to scroll.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { AFTER, CAPTION, GAP, HEAD, boxOf, drawn, framed, goOn, layout, reveal, whole } from "../../../../../../../webapp/ui/static/ui/review/grid.js";

const SIZE = 100;
const PITCH = SIZE + GAP;
const plan = (counts, width = 4 * PITCH - GAP) =>
  layout(counts.map(([code, count]) => ({ code, count })), { width, side: SIZE, captioned: (code) => code === "unidentified" });

test("sections stand one below the other; those that are captioned have room for it", () => {
  const { columns, blocks, height } = plan([["unidentified", 5], ["neutrophil", 9]]);
  assert.equal(columns, 4);
  assert.deepEqual(blocks.map(({ top, rows }) => [top, rows]), [[0, 2], [HEAD + 2 * (PITCH + CAPTION) + AFTER, 3]]);
  assert.equal(height, blocks[1].top + HEAD + 3 * PITCH + AFTER);
});

function sized(width) {
  const { columns, size } = plan([["a", 1]], width);
  return [columns, size];
}

test("cells fill the width, as near to the wanted side as can be; one column at least", () => {
  assert.deepEqual(sized(4 * PITCH - GAP), [4, SIZE]);
  assert.deepEqual(sized(4 * PITCH + 40), [4, SIZE + 11]);
  assert.deepEqual(sized(5 * PITCH - 30), [5, SIZE - 5]);
  assert.deepEqual(sized(20), [1, 20]);
});

test("of 15,000 cells only what is near the screen is drawn", () => {
  const many = plan([["a", 7500], ["b", 7500]]);
  const rows = drawn(many, 50_000, 50_800, { over: 200 }).reduce((sum, [, from, to]) => sum + to - from, 0);
  assert.ok(rows >= 800 / PITCH && rows <= 1200 / PITCH + 2, `${rows} rows`);
  assert.deepEqual(drawn(many, many.blocks[1].top, many.blocks[1].top + HEAD + PITCH).at(-1), [1, 0, 1]);
});

test("only what is wholly to be seen below the head counts as seen", () => {
  const one = plan([["a", 40]]);
  assert.deepEqual(whole(one, 0, 0, HEAD + 2 * PITCH), [0, 8]);
  assert.deepEqual(whole(one, 0, 0, HEAD + 2 * PITCH + SIZE - 2), [0, 8]);
  assert.deepEqual(whole(one, 0, 0, HEAD + 2 * PITCH + SIZE), [0, 12]);
  assert.deepEqual(whole(one, 0, 20, HEAD + 3 * PITCH), [4, 12]); // its first row is under the head
  assert.deepEqual(whole(one, 0, 5000, 5600), [0, 0]);
});

test("a cell is brought to the screen by the shortest way, with the head of its section where it is the first", () => {
  const one = plan([["a", 40], ["b", 8]]);
  assert.equal(reveal(one, 0, 4, 0, 600), 0);
  assert.equal(reveal(one, 0, 0, 300, 600), 0);
  assert.equal(reveal(one, 0, 8, 900, 300), boxOf(one, 0, 8).top - HEAD);
  assert.equal(reveal(one, 0, 36, 0, 300), boxOf(one, 0, 36).top + SIZE - 300 + GAP);
});

test("it stays where it is while the rest is to be seen, else the next row comes to the top", () => {
  const one = plan([["a", 8], ["b", 8], ["c", 80]]);
  assert.equal(goOn(one, 1, 0, 7, 0, 800), 0);
  assert.equal(goOn(one, 2, 0, 79, 0, 800), one.blocks[2].top);
  assert.equal(goOn(one, 2, 24, 79, one.blocks[2].top, 800), boxOf(one, 2, 24).top - HEAD);
});

test("a frame takes the cells that it touches", () => {
  const one = plan([["a", 6], ["b", 3]]);
  assert.deepEqual(framed(one, { left: 110, top: HEAD + 10, right: 220, bottom: HEAD + PITCH + 10 }, [6, 3]), [[0, 1], [0, 2], [0, 5]]);
  assert.deepEqual(framed(one, { left: 0, top: 0, right: 900, bottom: 9000 }, [6, 3]).length, 9);
});
