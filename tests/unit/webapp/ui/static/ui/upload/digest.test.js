// What a file's bytes are known by.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { DIGESTED } from "../../../../../../../webapp/ui/static/ui/upload/limits.js";
import { hex, sha256 } from "../../../../../../../webapp/ui/static/ui/upload/digest.js";

test("bytes are written with two digits each", () => {
  assert.equal(hex(new Uint8Array([0, 1, 15, 16, 255]).buffer), "00010f10ff");
});

test("the digest is the one that everybody knows", async () => {
  assert.equal(
    await sha256(new File(["abc"], "a")),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  assert.equal(
    await sha256(new File([], "empty")),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
});

test("what is too large for a picture is not read", async () => {
  assert.equal(await sha256({ size: DIGESTED + 1, arrayBuffer: () => assert.fail("was read") }), undefined);
});

test("a page in plain text computes none", async (t) => {
  t.mock.getter(crypto, "subtle", () => undefined);
  assert.equal(await sha256(new File(["abc"], "a")), undefined);
});
