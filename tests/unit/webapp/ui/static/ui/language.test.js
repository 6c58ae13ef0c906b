// Numbers and words in another language than English.

import "../english.js";

import assert from "node:assert/strict";
import { test } from "node:test";

import { number, percent } from "../../../../../../webapp/ui/static/ui/language.js";
import { failures, said } from "../../../../../../webapp/ui/static/ui/upload/progress.js";

const GERMAN = {
  "%(number)s %": "%(number)s %",
  "%(files)s files could not be uploaded.": "%(files)s Dateien wurden nicht hochgeladen.",
};

function inGerman(t) {
  t.after(() => (globalThis.document.documentElement.lang = "en"));
  globalThis.document.documentElement.lang = "de";
  t.mock.method(globalThis, "gettext", (text) => GERMAN[text] ?? text);
  t.mock.method(globalThis, "ngettext", (one, many, n) => (n === 1 ? one : (GERMAN[many] ?? many)));
}

test("numbers are grouped as the page's language has it", (t) => {
  assert.equal(number(15_382), "15,382");
  assert.equal(percent(90), "90 %");
  inGerman(t);
  assert.equal(number(15_382), "15.382");
});

test("sentences come from the catalogue as a whole, and those it lacks are English", (t) => {
  inGerman(t);
  assert.equal(failures(2000), "2.000 Dateien wurden nicht hochgeladen.");
  assert.equal(said({ active: false, trouble: "", left: 5, total: 1008, uploaded: 3 }, 0), "Stopped: 3 of 1.008 files uploaded.");
});
