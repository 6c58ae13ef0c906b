// What is above the galleries: the case, how far it is, whether all is saved, and what can be done.

import { useEffect, useRef } from "../../vendor/preact-hooks-11.2.0.min.js";
import { filter, filtering, html, panelOpen, said, size, tick, trouble, withKey } from "../state.js";
import { number, say } from "../../language.js";
import { counted } from "../words.js";

const SIZES = [["small", gettext("Small cells"), 10], ["medium", gettext("Medium cells"), 14], ["large", gettext("Large cells"), 18]];

export function Head({ page }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const { keys } = page;
  const undecided = page.undecided;
  const total = page.total;
  return html`<header class="rv-top">
    <div class="rv-case">
      <a class="rv-back" href=${page.addresses.case} title=${gettext("Back to the case")}><span aria-hidden="true">←</span><span class="hidden">${gettext("Back to the case")}</span></a>
      <h1>${page.seed.accession}</h1>
      <${Readings} page=${page} />
    </div>
    <div class="rv-progress">
      <progress max=${total || 1} value=${total - undecided} aria-label=${gettext("Cells decided")}></progress>
      <span>${howFar(total, undecided)}</span>
    </div>
    <p class="rv-said quiet" role="status">${said.value}</p>
    <${Saved} page=${page} />
    <div class="rv-tools">
      <button type="button" class="rv-tool" data-do="undo" disabled=${!page.bench.undo.done.length} title=${withKey(gettext("Undo"), keys.of("undo"))}><${Icon} path="M8 5 4 9l4 4M4 9h9a4 4 0 0 1 0 8h-3" /><span class="hidden">${gettext("Undo")}</span></button>
      <button type="button" class="rv-tool" data-do="redo" disabled=${!page.bench.undo.undone.length} title=${withKey(gettext("Redo"), keys.of("redo"))}><${Icon} path="m12 5 4 4-4 4M16 9H7a4 4 0 0 0 0 8h3" /><span class="hidden">${gettext("Redo")}</span></button>
      <span class="rv-sizes" role="group" aria-label=${gettext("Size of cells")}>
        ${SIZES.map(([name, text, side]) => html`<button type="button" class="rv-tool" aria-pressed=${size.value === name ? "true" : "false"} title=${text} onClick=${() => page.resize(name)}><svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true"><rect x=${10 - side / 2} y=${10 - side / 2} width=${side} height=${side} rx="2" fill="none" stroke="currentColor" stroke-width="1.6"/></svg><span class="hidden">${text}</span></button>`)}
      </span>
      <button type="button" class="rv-tool" data-do="filter" aria-expanded=${filtering.value ? "true" : "false"} aria-pressed=${page.isFiltered ? "true" : "false"} title=${withKey(gettext("Filter"), keys.of("filter"))}><${Icon} path="M3 5h14l-5.5 6v5l-3-1.5V11z" /><span class="hidden">${gettext("Filter")}</span></button>
      <button type="button" class="rv-tool" data-do="remarks" title=${withKey(gettext("Remarks"), keys.of("remarks"))}><${Icon} path="M4 4h12v9H9l-4 3.5V13H4z" /><span class="hidden">${gettext("Remarks")}</span></button>
      <button type="button" class="rv-tool" data-do="help" title=${withKey(gettext("All keys"), keys.of("help"))}><span aria-hidden="true">?</span><span class="hidden">${gettext("All keys")}</span></button>
      ${page.addresses.sign && html`<a class="button button-small rv-sign" href=${page.addresses.sign}>${gettext("Sign")}</a>`}
      <button type="button" class="rv-tool rv-count" aria-expanded=${panelOpen.value ? "true" : "false"} aria-controls="differential" onClick=${() => (panelOpen.value = !panelOpen.value)}>${gettext("Count")}</button>
    </div>
  </header>`;
}

// Which reading this is, and the way to others that one may see.
function Readings({ page }) {
  const { readings, reading: id } = page.seed;
  if (readings.length < 2) return html`<span class="quiet rv-reading">${readings[0]?.name}</span>`;
  return html`<nav class="rv-readings" aria-label=${gettext("Readings")}>
    ${readings.map((one) => html`<a key=${one.id} href=${one.address} aria-current=${one.id === id ? "page" : null}>${one.name}</a>`)}
  </nav>`;
}

function howFar(total, undecided) {
  if (!total) return gettext("No cells yet");
  return undecided ? counted(ngettext("%(n)s undecided", "%(n)s undecided", undecided), undecided) : gettext("All decided");
}

function Icon({ path }) {
  return html`<svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true"><path d=${path} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" /></svg>`;
}

function Saved({ page }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const { unsaved, trouble: why } = page.bench.queue;
  const problem = why || trouble.value;
  if (!unsaved && !problem) return html`<p class="rv-saved">${gettext("Saved")}</p>`;
  const text = unsaved ? counted(ngettext("%(n)s unsaved", "%(n)s unsaved", unsaved), unsaved) : gettext("Offline");
  return html`<p class=${`rv-saved ${problem ? "is-down" : "is-sending"}`} title=${problem}>
    ${text}${problem && html`<span class="rv-why">${say(gettext("%(why)s Trying again."), { why: problem })}</span>`}
  </p>`;
}

const share = (value) => (value ? String(Number((Number(value) * 100).toFixed(2))) : "");

// The fields by which cells are filtered.
export function Filter({ page }) {
  return filtering.value ? html`<${Fields} page=${page} />` : null;
}

function Fields({ page }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const form = useRef();
  useEffect(() => form.current.querySelector("select").focus(), []);
  const now = filter.value;
  const pressed = (event) => {
    if (event.key !== "Escape") return;
    filtering.value = false;
    page.focus();
  };
  const submit = (event) => {
    event.preventDefault();
    const given = Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value !== ""));
    for (const name of ["min_confidence", "max_confidence"]) if (given[name]) given[name] = String(Number(given[name]) / 100);
    page.filterBy(given);
  };
  return html`<form ref=${form} class="rv-filter" aria-label=${gettext("Filter")} onSubmit=${submit} onKeyDown=${pressed}>
    <label>${gettext("Class")} <select name="class">
      <option value="">${gettext("All")}</option>
      ${page.order.map((code) => html`<option value=${code} selected=${now.class === code}>${page.nameOf(code)}</option>`)}
    </select></label>
    <label>${gettext("Confidence from")} <input name="min_confidence" type="number" min="0" max="100" step="any" value=${share(now.min_confidence)} /> %</label>
    <label>${gettext("to")} <input name="max_confidence" type="number" min="0" max="100" step="any" value=${share(now.max_confidence)} /> %</label>
    <label>${gettext("Decided by")} <select name="by">
      <option value="">${gettext("Anybody, or nobody")}</option>
      ${Object.entries(page.people).map(([id, name]) => html`<option value=${id} selected=${now.by === id}>${name}</option>`)}
    </select></label>
    <label>${gettext("File")} <input name="file" type="search" value=${now.file ?? ""} /></label>
    <label class="check"><input type="checkbox" name="undecided" value="1" checked=${now.undecided === "1"} /> ${gettext("Undecided only")}</label>
    <button class="button button-small button-main">${gettext("Filter")}</button>
    ${page.isFiltered && html`<button type="button" class="button button-small" data-do="unfilter">${gettext("Show all cells")}</button>`}
  </form>`;
}

export function Notes({ page }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const { conflicts, failure, similar } = page.bench;
  const n = conflicts.length;
  return html`
    ${failure && html`<p class="rv-note is-bad" role="alert">${failure} <button type="button" class="button button-small" onClick=${() => page.forgetFailure()}>${gettext("Close")}</button></p>`}
    ${n > 0 && html`<p class="rv-note is-warn">${counted(ngettext("%(n)s cell was decided otherwise meanwhile. It is shown as it is now.", "%(n)s cells were decided otherwise meanwhile. They are shown as they are now.", n), n)} <button type="button" class="button button-small" data-do="conflicts">${gettext("Look at them")}</button></p>`}
    ${similar && html`<p class="rv-note">${gettext("Cells of the case that are most like the one you chose.")} <button type="button" class="button button-small" data-do="leave-similar">${gettext("Back to all cells")} <kbd>${gettext("Esc")}</kbd></button></p>`}
    ${page.isFiltered && html`<p class="rv-note">${say(gettext("Filtered: %(n)s cells are shown."), { n: number(page.shown) })} <button type="button" class="button button-small" data-do="unfilter">${gettext("Show all cells")}</button></p>`}
    ${page.isOver && html`<p class="rv-note is-warn">${gettext("You may look, but not decide.")}</p>`}
    ${!n && !failure && !page.isFiltered && !similar && page.total > 0 && page.undecided === 0 && html`<p class="rv-note is-good">${gettext("All cells are decided.")} ${page.seed.may_finish ? html`<button type="button" class="button button-small button-main" data-do="finish">${gettext("I have finished my reading")}</button>` : html`<a class="button button-small" href=${page.addresses.case}>${gettext("Back to the case")}</a>`}</p>`}
  `;
}
