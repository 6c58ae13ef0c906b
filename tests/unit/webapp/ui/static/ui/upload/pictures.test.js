// What may be a picture, by its name and its first bytes.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { isReadable, pictures } from "../../../../../../../webapp/ui/static/ui/upload/pictures.js";

const whyNot = pictures(".jpg .jpeg .png", "ffd8ff|89504e470d0a1a0a");
const file = (name, ...bytes) => new File([new Uint8Array(bytes)], name);
const torn = { name: "torn", size: 3, slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException("gone", "NotFoundError")) }) };

for (const [told, given, why] of [
  ["a picture's name is believed", file("a.jpg", 1, 2, 3), null],
  ["whatever its case", file("A.JPEG"), null],
  ["an empty one, too: the server says what is wrong", file("empty.png"), null],
  ["a picture's bytes, without a suffix", file("scan", 0xff, 0xd8, 0xff, 0xe0), null],
  ["a picture's bytes under another suffix", file("scan.dat", 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), null],
  ["bytes that only contain an opening", file("scan", 0, 0xff, 0xd8, 0xff), "Not a picture, by its content."],
  ["half an opening", file("scan", 0xff, 0xd8), "Not a picture, by its content."],
  ["another kind", file("notes.txt", 65, 66), "Not a picture, by its content."],
  ["nothing at all", file("empty"), "Empty, and not named like a picture."],
  ["hidden, though named like a picture", file(".a.jpg", 0xff, 0xd8, 0xff), "A hidden or system file."],
  ["of the system", file("Thumbs.db", 1), "A hidden or system file."],
  ["unreadable", torn, "It cannot be read."],
]) {
  test(told, async () => assert.equal(await whyNot(given), why));
}

test("a file that was read once may be gone later", async () => {
  assert.equal(await isReadable(file("a.jpg", 1)), true);
  assert.equal(await isReadable(torn), false);
});
