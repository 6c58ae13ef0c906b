// Dialogs: the keys, the words for another cell, and what others decided meanwhile.

import { useEffect, useLayoutEffect, useRef, useState } from "../../vendor/preact-hooks-11.2.0.min.js";
import { KeyList } from "../../key-list.js";
import { COMMANDS, FIXED, classCommand } from "../keys.js";
import { styleOf } from "../pictures.js";
import { dialog, html, tick } from "../state.js";
import { say } from "../../language.js";
import { counted } from "../words.js";

// `back`: the dialog that is open again when this one is closed; null for none.
export function Modal({ label, name = "", back = null, children }) {
  const element = useRef();
  // At once: what is typed next is meant for it.
  useLayoutEffect(() => {
    element.current.showModal();
    // No button has the focus at first, which Space would press; a field that is there to be filled in has it.
    if (!element.current.querySelector("[autofocus]")) element.current.focus();
    return () => {
      element.current?.close();
      setTimeout(focusCells);
    };
  }, []);
  const leave = () => element.current && (dialog.value = back);
  const outside = (event) => event.target === element.current && leave();
  return html`<dialog ref=${element} class=${`dialog dialog-panel ${name}`} aria-label=${label} tabindex="-1" onClose=${leave} onClick=${outside}>
    ${children}
  </dialog>`;
}

export const close = html`<button type="button" class="button dialog-close" onClick=${() => (dialog.value = null)} title=${gettext("Close (Esc)")}><span aria-hidden="true">×</span><span class="hidden">${gettext("Close")}</span></button>`;

// Nothing has the focus, as after a dialog that stood in the place of another.
function focusCells() {
  if (document.activeElement === document.body) document.getElementById("gallery")?.focus({ preventScroll: true });
}

export function KeysDialog({ page }) {
  const lists = [
    { heading: gettext("Moving and confirming"), fixed: FIXED },
    { heading: gettext("Commands"), commands: COMMANDS },
    { heading: gettext("Classes: move the selection, or the cell, to"), commands: page.classes.map(({ code, name }) => ({ name: classCommand(code), text: name })) },
  ];
  return html`<${Modal} label=${gettext("Keys")} name="keys">
    <div class="dialog-head"><h2>${gettext("Keys")}</h2>${close}</div>
    <${KeyList} keys=${page.keys} lists=${lists} changed=${() => page.keepKeys()}>
      <button type="button" class="button button-small" onClick=${() => print()}>${gettext("Print")}</button>
      <button type="button" class="button button-small" onClick=${() => page.tour()}>${gettext("Take the tour")}</button>
    <//>
  <//>`;
}

// The words that were said of a cell that is *Other*, as the server has them; null for none, or none to be read. Each
// time that they are asked for is on record, so they are asked for only of a cell that is looked at.
export function useWords(page, cell) {
  const [found, find] = useState({ of: null, words: null });
  const of = cell && page.wordsOf(cell);
  useEffect(() => {
    if (!of) return;
    page.server
      .said(cell.id)
      .then(({ decision }) => find({ of, words: decision?.words || null }))
      .catch(() => {}); // the page says itself that the line is down
  }, [of]);
  return of && found.of === of ? found.words : null;
}

// *Other* asks what it is: in one's own words, or in none. Of one cell that is *Other* already the words that were said
// are there to be corrected, where the person may read them.
export function WordsDialog({ page, ids, back, stay = false }) {
  const field = useRef();
  const before = useWords(page, ids.length === 1 ? page.bench.store.get(ids[0]) : null);
  const isOther = ids.some((id) => page.bench.store.get(id)?.decided === "other");
  useEffect(() => {
    if (before && !field.current.value) field.current.value = before;
  }, [before]);
  const submit = (event) => {
    event.preventDefault();
    const words = new FormData(event.target).get("words").trim();
    dialog.value = back;
    page.bench.decide("other", { ids, words, stay });
  };
  return html`<${Modal} label=${gettext("Other")} name="rv-words" back=${back}>
    <form onSubmit=${submit}>
      <h2>${counted(ngettext("Other: what is this cell?", "Other: what are these %(n)s cells?", ids.length), ids.length)}</h2>
      <label class="field">${gettext("In your words, if you like")} <input ref=${field} name="words" type="text" maxlength="200" autocomplete="off" autofocus /></label>
      ${isOther && html`<p class="quiet small">${gettext("What you say replaces what was said before.")}</p>`}
      <div class="dialog-foot">
        <button type="button" class="button button-small" onClick=${() => (dialog.value = back)}>${gettext("Cancel")} <kbd>${gettext("Esc")}</kbd></button>
        <button class="button button-small button-main">${gettext("Other")} <kbd>↵</kbd></button>
      </div>
    </form>
  <//>`;
}

export function Picture({ page, cell, side }) {
  return html`<div class="rv-picture" style=${styleOf(cell, side, page.reference)}></div>`;
}

// Nobody decided: the model suggests something else than the person saw.
const isSuggestion = ({ class: code, suggested }) => !code && Boolean(suggested);

// What others decided of the same cells meanwhile: each is asked, or all at once.
export function ConflictsDialog({ page }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const { conflicts, store } = page.bench;
  const resolve = (cells, mine) => {
    page.bench.resolve(cells, mine);
    if (!page.bench.conflicts.length) dialog.value = null;
  };
  const all = conflicts.map(({ cell }) => cell);
  return html`<${Modal} label=${gettext("Decided otherwise meanwhile")} name="rv-conflicts">
    <div class="dialog-head"><h2>${gettext("Decided otherwise meanwhile")}</h2>${close}</div>
    <p class="quiet">${gettext("Nothing was overwritten. Keep what is there, or decide again.")}</p>
    <ul>${conflicts.map((one) => html`<li key=${one.cell}>
      ${store.get(one.cell) && html`<${Picture} page=${page} cell=${store.get(one.cell)} side=${72} />`}
      <div>
        <p>${isSuggestion(one) ? say(gettext("The model was asked again and suggests %(class)s; you had seen %(wanted)s."), said(page, one)) : say(gettext("%(person)s: %(class)s. You: %(wanted)s."), said(page, one))}</p>
        <button type="button" class="button button-small" onClick=${() => resolve([one.cell], false)}>${say(gettext("Keep %(class)s"), said(page, one))}</button>${" "}
        <button type="button" class="button button-small" onClick=${() => resolve([one.cell], true)}>${say(gettext("Make it %(wanted)s"), said(page, one))}</button>
      </div>
    </li>`)}</ul>
    <div class="dialog-foot">
      <button type="button" class="button button-small" onClick=${() => resolve(all, false)}>${gettext("Keep all as they are")}</button>
      <button type="button" class="button button-small" onClick=${() => resolve(all, true)}>${gettext("Decide all as I did")}</button>
    </div>
  <//>`;
}

function said(page, { class: code, wanted, by, suggested }) {
  const now = code || suggested;
  return {
    class: now ? page.nameOf(now) : gettext("undecided"),
    wanted: wanted ? page.nameOf(wanted) : gettext("undecided"),
    person: by === page.me ? gettext("You, elsewhere") : (page.bench.store.people[by] ?? gettext("Somebody")),
  };
}
