// The differential, live, which is also where cells are moved to: each class with its key, what was decided and what is
// only suggested, never mixed.

import { keyName } from "../../keys.js";
import { html, isWide, panelOpen, tick, withKey } from "../state.js";
import { number, say } from "../../language.js";
import { hundredth, tenth } from "../words.js";

const byClass = (sheet) => new Map((sheet?.rows ?? []).map((row) => [row.class, row]));
const known = (value) => value !== null && value !== undefined;
const flagNames = () => ({ L: gettext("Low"), H: gettext("High"), LL: gettext("Critically low"), HH: gettext("Critically high"), A: gettext("Abnormal in any number, or above the limit") });
const share = (row) => (known(row?.percent) ? tenth(row.percent) : "");

export function Panel({ page }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const { differential: sheets } = page.bench;
  const reviewed = byClass(sheets?.reviewed);
  const suggested = byClass(sheets?.suggested);
  if (sheets) reviewed.set("not_classed", { count: sheets.not_classed }); // out of every count, and so on no sheet
  const totals = byClass({ rows: sheets?.reviewed.totals });
  const classes = listed(page, reviewed, suggested);
  const white = classes.filter((one) => one.in_wbc);
  const others = classes.filter((one) => !one.in_wbc);
  const rows = (group) => group.map((one) => html`<${Class} key=${one.code} page=${page} of=${one} reviewed=${reviewed.get(one.code)} judged=${totals.get(one.code) ?? reviewed.get(one.code)} suggested=${suggested.get(one.code)} />`);
  return html`<aside id="differential" class=${`rv-panel${panelOpen.value ? " is-open" : ""}`} aria-label=${gettext("Differential")}>
    ${sheets && html`<${Sums} page=${page} sheets=${sheets} />`}
    <table class="rv-table">
      <caption class="hidden">${gettext("Differential: what was decided, and what is only suggested. Choose a class to move cells to it.")}</caption>
      <colgroup><col class="rv-wide" /><col class="rv-n" /><col class="rv-p" /><col class="rv-ci" /><col class=${isWide.value ? "rv-n" : "rv-alone"} />${isWide.value && html`<col class="rv-p" />`}</colgroup>
      <thead>
        <tr>
          <th scope="col" rowspan="2">${gettext("Class")}</th>
          <th scope="colgroup" colspan="3" class="rv-group">${gettext("Reviewed")}</th>
          <th scope="colgroup" colspan=${isWide.value ? 2 : 1} class="rv-group rv-suggested">${gettext("Suggested")}</th>
        </tr>
        <tr>
          <th scope="col" class="number">${gettext("n")}</th><th scope="col" class="number">%</th><th scope="col" class="number rv-interval">95 %</th>
          <th scope="col" class="number rv-suggested">${gettext("n")}</th>${isWide.value && html`<th scope="col" class="number rv-suggested">%</th>`}
        </tr>
      </thead>
      <tbody>${rows(white)}</tbody>
      <tbody class="rv-others">
        <tr><th scope="rowgroup" colspan=${isWide.value ? 6 : 5}>${gettext("Not in the white-cell count")}</th></tr>
        ${rows(others)}
      </tbody>
    </table>
    ${sheets && html`<${Judged} sheets=${sheets} />`}
  </aside>`;
}

function Class({ page, of, reviewed, judged, suggested }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const key = page.keys.ofClass(of.code);
  const none = !reviewed?.count && !suggested?.count;
  return html`<tr class=${none ? "is-none" : ""} data-class=${of.code}>
    <th scope="row">
      <button type="button" class="rv-class" data-do="decide" data-code=${of.code} disabled=${!page.mayDecide}
        title=${withKey(say(gettext("Move the selection to %(class)s"), { class: of.name }), key)}>
        <kbd>${keyName(key)}</kbd><span>${of.name}</span><${Flags} of=${judged} />
      </button>
    </th>
    <td class="number">${reviewed?.count ? number(reviewed.count) : ""}</td>
    <td class="number rv-percent">${reviewed?.count ? share(reviewed) : ""}</td>
    <td class="number rv-interval">${interval(of, reviewed)}</td>
    <td class="number rv-suggested">${suggested?.count ? number(suggested.count) : ""}</td>
    ${isWide.value && html`<td class="number rv-suggested">${suggested?.count ? share(suggested) : ""}</td>`}
  </tr>`;
}

function Sums({ page, sheets }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const { reviewed, full_count: full } = sheets;
  const undecided = page.undecided;
  const white = reviewed.wbc_count;
  return html`<dl class="rv-sums">
    <div><dt>${gettext("White cells reviewed")}</dt><dd>${say(white < full ? gettext("%(n)s of %(full)s") : gettext("%(n)s, full count %(full)s"), { n: number(white), full: number(full) })}</dd></div>
    <div class=${undecided ? "is-open" : ""}><dt>${gettext("Undecided")}</dt><dd>${number(undecided)}</dd></div>
  </dl>`;
}

function Flags({ of }) {
  return (of?.flags ?? []).map((flag) => html`<abbr class=${`flag flag-${flag}`} title=${flagNames()[flag]}>${flag}</abbr>`);
}

// What the counts mean: absolute values, flags and ranges, as the server says; of what was decided, and of what is only
// suggested until something is.
function Judged({ sheets }) {
  const isReviewed = sheets.reviewed.wbc_count > 0;
  const sheet = isReviewed ? sheets.reviewed : sheets.suggested;
  const totals = new Map(sheet.totals.map((row) => [row.class, row]));
  const rows = sheet.rows.flatMap((row) => (totals.has(row.class) ? [totals.get(row.class)] : [row])).filter((row) => row.count || row.flags.length);
  const shown = rows.filter((row) => known(row.absolute) || row.flags.length || (row.range && !row.no_range));
  return html`<section class="rv-judged" aria-label=${isReviewed ? gettext("Reviewed values") : gettext("Suggested values")}>
    ${shown.length > 0 && html`<table class="rv-table">
      <caption>${isReviewed ? gettext("Reviewed values") : gettext("Suggested values")}</caption>
      <thead><tr><th scope="col">${gettext("Class")}</th><th scope="col" class="number">${gettext("10⁹/L")}</th><th scope="col"><span class="hidden">${gettext("Flags")}</span></th><th scope="col" class="number">${gettext("Range")}</th></tr></thead>
      <tbody>${shown.map((row) => html`<tr key=${row.class}>
        <th scope="row">${row.name}</th><td class="number">${known(row.absolute) ? hundredth(Number(row.absolute)) : ""}</td><td><${Flags} of=${row} />${row.near_limit && html` <span class="quiet" title=${gettext("The limit is within the counting error.")}>±</span>`}</td><td class="number rv-interval">${row.no_range ? "" : row.range}</td>
      </tr>`)}</tbody>
    </table>`}
    ${sheet.notes.map((note) => html`<p class="quiet small" key=${note}>${note}</p>`)}
  </section>`;
}

// The classes that the lab uses, and any that has cells.
function listed(page, reviewed, suggested) {
  const codes = new Set(page.classes.map(({ code }) => code));
  const others = [...reviewed.values(), ...suggested.values()].filter((row) => row.class && row.count && !codes.has(row.class) && codes.add(row.class));
  return [...page.classes, ...others.map((row) => Object.assign({ code: row.class }, row))];
}

function interval(of, row) {
  if (!row?.count) return "";
  if (known(row.low)) return `${tenth(row.low)}–${tenth(row.high)}`;
  return of.unit && !of.in_wbc && known(row.percent) ? gettext("per 100") : "";
}
