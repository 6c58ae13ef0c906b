// What is said to the API and to the store, and what their answers mean.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { Final } from "../../../../../../../webapp/ui/static/ui/upload/retry.js";
import { Server } from "../../../../../../../webapp/ui/static/ui/upload/server.js";

const ADDRESSES = { begin: "/begin", renew: "/renew", complete: "/complete", token: "a-token" };
const server = new Server(ADDRESSES, { lab: "a-lab" });
const item = { url: "https://store/", fields: { key: "k", policy: "p" }, file: new File(["abc"], "a.jpg") };

function answering(t, response) {
  return t.mock.method(globalThis, "fetch", () => Promise.resolve(response)).mock;
}

test("the API is told the form's token and the lab that the page is of", async (t) => {
  const asked = answering(t, Response.json({ uploads: [{ id: 1 }] }));
  assert.deepEqual(await server.begin([{ name: "a.jpg" }]), [{ id: 1 }]);
  const [url, { method, headers, body }] = asked.calls[0].arguments;
  assert.deepEqual([url, method, JSON.parse(body)], ["/begin", "POST", { files: [{ name: "a.jpg" }] }]);
  assert.deepEqual([headers["X-CSRFToken"], headers["X-Lab"]], ["a-token", "a-lab"]);
});

test("of which slide the files are is said with them", async (t) => {
  const asked = answering(t, Response.json({ uploads: [] }));
  await server.begin([], 7);
  assert.deepEqual(JSON.parse(asked.calls[0].arguments[1].body), { files: [], slide: 7 });
});

test("a link is renewed by the id of its file", async (t) => {
  const asked = answering(t, Response.json({ uploads: [] }));
  assert.equal(await server.renew(7), undefined);
  assert.deepEqual(JSON.parse(asked.calls[0].arguments[1].body), { ids: [7] });
});

for (const [status, isFinal] of [[429, false], [500, false], [503, false], [400, true], [403, true], [409, true], [413, true]]) {
  test(`${status} of the API is ${isFinal ? "final" : "tried again"}, and told in its words`, async (t) => {
    answering(t, Response.json({ error: { message: "In its words." } }, { status }));
    const error = await server.complete([1]).catch((caught) => caught);
    assert.deepEqual([error instanceof Final, error.message], [isFinal, "In its words."]);
  });

  const ofStore = isFinal && status !== 403;
  test(`${status} of the store is ${ofStore ? "final" : "tried again"}`, async (t) => {
    answering(t, new Response(null, { status }));
    const error = await server.store(item).catch((caught) => caught);
    assert.deepEqual([error instanceof Final, error.message], [ofStore, `The image store answered ${status}.`]);
  });
}

test("403 of the store is final once the link was renewed: it cannot have expired", async (t) => {
  answering(t, new Response(null, { status: 403 }));
  await assert.rejects(server.store({ ...item, isRenewed: true }), Final);
});

test("an answer without words is told by its status", async (t) => {
  answering(t, new Response("<html>", { status: 502 }));
  await assert.rejects(server.begin([]), { message: "The server answered 502." });
});

test("the store gets the fields first and the bytes last, from whom it can stop", async (t) => {
  const asked = answering(t, new Response(null, { status: 204 }));
  const { signal } = new AbortController();
  await server.store(item, signal);
  const [url, sent] = asked.calls[0].arguments;
  assert.equal(url, "https://store/");
  assert.deepEqual([...sent.body.keys()], ["key", "policy", "file"]);
  assert.equal(await sent.body.get("file").text(), "abc");
  assert.equal(sent.signal, signal);
});
