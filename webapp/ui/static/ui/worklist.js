// The worklist by keyboard: from case to case, open, take, search.

import { h, render } from "./vendor/preact-11.2.0.min.js";
import htm from "./vendor/htm-3.1.1.min.js";
import { Kept } from "./kept.js";
import { KeyList } from "./key-list.js";
import { ByHand, COMMANDS, FIXED, WorklistKeys, rowBehind } from "./worklist/keys.js";

const html = htm.bind(h);
const likes = new Kept(() => localStorage, "worklist");
const keys = new WorklistKeys(likes.read().keys);

const ROWS = "#cases tbody tr"; // untranslated: a selector
const rows = () => [...document.querySelectorAll(ROWS)];
const current = () => document.activeElement?.closest?.(ROWS);

function goTo(row) {
  row?.querySelector("th a").focus();
  row?.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = rows();
  goTo(all[rowBehind(all.length, all.indexOf(current()), by)]);
}

function showKeys() {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("aria-label", gettext("Keys"));
  dialog.tabIndex = -1;
  const lists = [
    { heading: gettext("Moving and opening"), fixed: FIXED },
    { heading: gettext("Commands"), commands: COMMANDS },
  ];
  const changed = () => likes.write({ keys: keys.changes });
  document.getElementById("main").append(dialog);
  render(
    html`<div class="dialog-head"><h2>${gettext("Keys")}</h2>
        <button type="button" class="button dialog-close" onClick=${() => dialog.close()} title=${gettext("Close (Esc)")}><span aria-hidden="true">×</span><span class="hidden">${gettext("Close")}</span></button></div>
      <${KeyList} keys=${keys} lists=${lists} changed=${changed} />`,
    dialog,
  );
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  dialog.focus();
}

const DO = {
  next: () => step(1),
  previous: () => step(-1),
  take: () => current()?.querySelector("[data-take]")?.click(),
  search: () => {
    document.getElementById("q").focus();
    document.getElementById("q").select();
  },
  help: showKeys,
};

const hand = new ByHand();

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  const command = keys.meaning(event, Boolean(current()) || document.activeElement === document.body);
  const isSingle = event.key.length === 1;
  const isStep = command === "next" || command === "previous";
  const act = command && (isStep || !event.repeat) ? DO[command] : null;
  if (isSingle && !event.repeat) hand.press(event.timeStamp, act);
  else act?.();
  if (command) event.preventDefault();
});

const button = document.getElementById("show-keys");
button.hidden = false;
button.addEventListener("click", showKeys);
// Back from taking a case: where one was.
if (location.hash.startsWith("#case-")) goTo(document.getElementById(location.hash.slice(1)));
