// One cell large, with what the model said of it. Keys work as in the gallery, so one can go through a class here.

import { useEffect, useState } from "../../vendor/preact-hooks-11.2.0.min.js";
import { draw } from "../../cell/evidence.js";
import { keyName } from "../../keys.js";
import { dialog, html, tick, withKey } from "../state.js";
import { number, say } from "../../language.js";
import { inWords } from "./cell.js";
import { Modal, Picture, useWords } from "./dialogs.js";

const kept = new Map(); // fragments by cell, and by what the model said

async function fragment(page, cell) {
  const id = `${page.suggestions} ${cell}`;
  if (!kept.has(id)) {
    const asked = fetch(`${page.addresses.case}cells/${cell}/?model`, { headers: { "HX-Request": "true", "X-Lab": page.seed.lab } }).then((response) => {
      if (!response.ok || response.headers.get("HX-Redirect")) throw new Error(response.status);
      return response.text();
    });
    kept.set(id, asked);
    asked.catch(() => kept.delete(id));
  }
  return kept.get(id);
}

export function Large({ page, evidence, evidenceOf }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const cell = page.bench.focused;
  const [shown, show] = useState({ id: null, text: "" });
  const [loaded, load] = useState(null); // whose picture came with the fragment
  useEffect(() => {
    if (!cell) return;
    const { id } = cell;
    fragment(page, id)
      .then((text) => page.bench.selection.focus === id && show({ id, text }))
      .catch(() => show({ id, text: "" }));
    const after = page.after(id);
    if (after !== null) fragment(page, after).catch(() => {});
  }, [cell?.id, page.suggestions]);
  useEffect(() => {
    const article = document.querySelector(".rv-large article");
    if (!article) return;
    const key = article.querySelector("[data-evidence-key]");
    if (key) key.textContent = keyName(page.keys.of("evidence")); // untranslated: a name of a command
    draw(article, evidence, evidenceOf);
  }, [shown.id, evidence, evidenceOf]);
  const words = useWords(page, cell);
  if (!cell) return null;
  const isWhole = shown.id === cell.id && shown.text;
  const isDrawn = isWhole ? loaded === cell.id : page.pictures.ready(cell.mosaic);
  page.drawnLarge = isDrawn ? cell.id : null;
  if (!isWhole) page.pictures.want(cell.mosaic);
  const came = (event) => !event.target.matches("[data-evidence]") && load(shown.id);
  const section = page.bench.current;
  const changed = (event) => {
    if (!event.target.closest("[data-evidence-form]")) return;
    const radio = event.target.type === "radio";
    dialog.value = { ...dialog.value, evidence: radio || event.target.checked, evidenceOf: radio ? event.target.value : evidenceOf };
  };
  const person = cell.decided && cell.by !== page.me ? (page.bench.store.people[cell.by] ?? "") : "";
  return html`<${Modal} label=${gettext("One cell")} name="rv-large">
    <div class="dialog-head">
      <h2 class=${cell.decided ? "is-decided" : "is-suggested"}>${inWords(cell, { nameOf: (code) => page.nameOf(code), person })}</h2>
      <span class="quiet">${section && say(gettext("%(class)s, %(place)s of %(count)s"), { class: page.nameOf(section.code), place: number(section.cells.indexOf(cell) + 1), count: number(section.count) })}</span>
      <span class="rv-steps">
        <button type="button" class="button" tabindex="-1" data-do="left" title=${gettext("Previous cell (←)")}><span aria-hidden="true">←</span><span class="hidden">${gettext("Previous cell")}</span></button>
        <button type="button" class="button" tabindex="-1" data-do="right" title=${gettext("Next cell (→)")}><span aria-hidden="true">→</span><span class="hidden">${gettext("Next cell")}</span></button>
        <button type="button" class="button" onClick=${() => (dialog.value = null)} title=${gettext("Close (Esc)")}><span aria-hidden="true">×</span><span class="hidden">${gettext("Close")}</span></button>
      </span>
    </div>
    ${cell.decided === "other" && (words || page.mayDecide) && html`<p class="rv-said-words">
      ${words && html`<q>${words}</q>`}
      ${page.mayDecide && html`<button type="button" class="button button-small" data-do="words">${words ? gettext("Correct the words") : gettext("Say what it is")}</button>`}
    </p>`}
    ${isWhole
      ? html`<div key="whole" class="rv-fragment" onChange=${changed} onLoadCapture=${came} dangerouslySetInnerHTML=${{ __html: shown.text }}></div>`
      : html`<div key="picture" class="rv-fragment"><div class="cell"><div class="cell-body"><div class="stage"><${Picture} page=${page} cell=${cell} side=${420} /></div></div></div></div>`}
    ${page.mayDecide && html`<div class="rv-large-classes" role="group" aria-label=${gettext("Move to")}>
      <button type="button" class="button button-small button-main" tabindex="-1" data-do="confirm" disabled=${Boolean(cell.decided) || !cell.suggested || !isDrawn}>${gettext("Confirm")} <kbd>↵</kbd></button>
      ${page.classes.map((one) => html`<button type="button" class="button button-small rv-chip" data-do="decide" data-code=${one.code} aria-pressed=${cell.decided === one.code ? "true" : "false"} title=${withKey(one.name, page.keys.ofClass(one.code))}><kbd>${keyName(page.keys.ofClass(one.code))}</kbd>${page.shortOf(one.code)}</button>`)}
    </div>`}
  <//>`;
}
