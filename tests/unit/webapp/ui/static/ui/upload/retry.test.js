// What is tried again, how often, and after how long.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { WAITS } from "../../../../../../../webapp/ui/static/ui/upload/limits.js";
import { Final, mayPass, reason, retry } from "../../../../../../../webapp/ui/static/ui/upload/retry.js";
import { atOnce } from "./support.js";

test("what fails for a while succeeds in the end", async (t) => {
  const waits = atOnce(t);
  let tries = 0;
  const answer = await retry(async () => {
    tries += 1;
    if (tries < 3) throw new Error("busy");
    return "there";
  });
  assert.deepEqual([answer, tries, waits.length], ["there", 3, 2]);
});

test("it gives up after as many waits as there are, each longer, none at its whole length for all", async (t) => {
  const waits = atOnce(t);
  let tries = 0;
  const failing = async () => {
    tries += 1;
    throw new Error("busy");
  };
  await assert.rejects(retry(failing), { message: "busy" });
  assert.equal(tries, WAITS.length + 1);
  assert.equal(waits.length, WAITS.length);
  for (const [i, ms] of waits.entries()) assert.ok(WAITS[i] / 2 <= ms && ms <= WAITS[i], `${ms} ms`);
});

test("what is final is not tried again", async (t) => {
  const waits = atOnce(t);
  await assert.rejects(retry(() => Promise.reject(new Final("no"))), { message: "no" });
  assert.deepEqual(waits, []);
});

test("what was stopped is not tried again", async (t) => {
  const waits = atOnce(t);
  await assert.rejects(retry(() => Promise.reject(new Error("busy")), () => true), { message: "busy" });
  assert.deepEqual(waits, []);
});

test("a busy server and a broken one may pass, a refusal does not", () => {
  assert.deepEqual([429, 500, 502, 503].filter(mayPass), [429, 500, 502, 503]);
  assert.deepEqual([400, 401, 403, 404, 409, 413].filter(mayPass), []);
});

test("what fetch throws is a lost connection; everything else speaks for itself", () => {
  assert.equal(reason(new TypeError("Failed to fetch")), "The connection was lost.");
  assert.equal(reason(new Error("The server answered 503.")), "The server answered 503.");
});
