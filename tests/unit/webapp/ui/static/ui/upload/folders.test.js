// Folders that were dropped are read through, whatever in them cannot be read.

import "../../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { walk } from "../../../../../../../webapp/ui/static/ui/upload/folders.js";

const last = (path) => path.slice(path.lastIndexOf("/") + 1);
const file = (path) => ({ isFile: true, name: last(path), fullPath: path, file: (ok) => ok(new File([], last(path))) });
const gone = (path) => ({ ...file(path), file: (_ok, no) => no(new DOMException("gone", "NotFoundError")) });

// A folder that gives its entries in parts, as browsers do, and fails at a part that is an error.
function folder(path, ...parts) {
  const readEntries = (ok, no) => {
    const part = parts.shift() ?? [];
    if (part instanceof Error) no(part);
    else ok(part);
  };
  return { isDirectory: true, name: last(path), fullPath: path, createReader: () => ({ readEntries }) };
}

async function walked(...entries) {
  const found = [];
  const leftOut = {};
  await walk(entries, {
    add: async (items) => void found.push(...items.map(({ name }) => name)),
    leaveOut: ({ name }, why) => void (leftOut[name] = why),
  });
  return { found, leftOut };
}

test("all parts of a folder are read, in order, and files come before folders", async () => {
  const { found, leftOut } = await walked(
    folder("/s", [folder("/s/in", [file("/s/in/3")]), file("/s/1")], [file("/s/2")]),
    file("/0"),
  );
  assert.deepEqual(found, ["0", "s/1", "s/in/3", "s/2"]);
  assert.deepEqual(leftOut, {});
});

test("an empty folder is no trouble", async () => {
  assert.deepEqual(await walked(folder("/s")), { found: [], leftOut: {} });
});

test("what cannot be read is named, and the rest goes on", async () => {
  const { found, leftOut } = await walked(
    folder("/s", [gone("/s/gone"), folder("/s/locked", new Error("no")), folder("/s/torn", [file("/s/torn/1")], new Error("no"))]),
    file("/2"),
  );
  assert.deepEqual(found, ["2", "s/torn/1"]);
  assert.deepEqual(leftOut, {
    "s/gone": "It cannot be read.",
    "s/locked": "The folder cannot be read, or not to its end.",
    "s/torn": "The folder cannot be read, or not to its end.",
  });
});

test("hidden folders are not looked into", async () => {
  assert.deepEqual(await walked(folder("/.git", [file("/.git/a.jpg")])), { found: [], leftOut: { ".git": "A hidden folder." } });
});
