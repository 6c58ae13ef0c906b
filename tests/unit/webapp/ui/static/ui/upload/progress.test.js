// How an upload goes, in numbers and words.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { announced, failures, minutesLeft, more, notSent, said } from "../../../../../../../webapp/ui/static/ui/upload/progress.js";

const STATE = { active: false, trouble: "", left: 0, total: 0, uploaded: 0, arrived: [], began: 0, doneBefore: 0 };
const aloud = (left) => announced({ ...STATE, active: true, total: 1000, left }, "");

for (const [told, given, minutes] of [
  ["nobody knows at once", { seconds: 4.9, done: 100, left: 100 }, undefined],
  ["nor before anything is done", { seconds: 60, done: 0, left: 100 }, undefined],
  ["soon", { seconds: 10, done: 10, left: 59 }, 0],
  ["a minute", { seconds: 10, done: 10, left: 60 }, 1],
  ["hours", { seconds: 10, done: 10, left: 7230 }, 121],
]) {
  test(`time left: ${told}`, () => assert.equal(minutesLeft(given), minutes));
}

test("what was done before it was begun again tells nothing of the speed", () => {
  const state = { ...STATE, active: true, total: 1200, left: 100, doneBefore: 1000 };
  assert.equal(said(state, 50_000), "Uploading: 1,100 of 1,200 files, less than a minute left");
  assert.equal(said({ ...state, doneBefore: 1099 }, 50_000), "Uploading: 1,100 of 1,200 files, about 83 min left");
});

test("one file is one file", () => {
  assert.equal(said({ ...STATE, active: true, total: 1, left: 1 }, 0), "Uploading: 0 of 1 file");
  assert.equal(failures(1), "1 file could not be uploaded.");
  assert.equal(failures(2000), "2,000 files could not be uploaded.");
});

test("how it ended", () => {
  assert.equal(said(STATE, 0), "");
  assert.equal(announced({ ...STATE, uploaded: 3 }, ""), "3 files uploaded.");
  const stopped = { ...STATE, left: 5, total: 8, uploaded: 3 };
  assert.equal(said(stopped, 0), "Stopped: 3 of 8 files uploaded.");
  assert.equal(announced(stopped, said(stopped, 0)), "Stopped: 3 of 8 files uploaded.");
  const troubled = { ...STATE, trouble: "The connection was lost.", total: 2, uploaded: 2, arrived: [1, 2] };
  assert.equal(said(troubled, 0), "2 files uploaded but not handed over. The connection was lost.");
});

test("tenths are told aloud, and no more", () => {
  assert.deepEqual([1000, 901, 900, 1, 0].map(aloud), [0, 0, 10, 90, 100].map((n) => `${n} % of files uploaded`));
});

test("what was not sent is counted by why", () => {
  assert.equal(notSent(1, 0), "1 file not sent: 1 left out.");
  assert.equal(notSent(0, 2), "2 files not sent: 2 known already.");
  assert.equal(notSent(1000, 2), "1,002 files not sent: 1,000 left out, 2 known already.");
  assert.equal(more(100), "");
  assert.equal(more(101), "The first 100 are shown.");
});
