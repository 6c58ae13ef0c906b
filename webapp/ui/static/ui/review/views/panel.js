// The differential, live, which is also where cells are moved to: each class with its key, what was decided and what is
// only suggested, never mixed.

import { html, isWide, panelOpen, tick, withKey, keyName } from "../state.js";
import { number, say } from "../../language.js";
import { tenth } from "../words.js";

const byClass = (sheet) => new Map((sheet?.rows ?? []).map((row) => [row.class, row]));
const known = (value) => value !== null && value !== undefined;
const share = (row) => (known(row?.percent) ? tenth(row.percent) : "");

export function Panel({ page }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const { differential: sheets } = page.bench;
  const reviewed = byClass(sheets?.reviewed);
  const suggested = byClass(sheets?.suggested);
  if (sheets) reviewed.set("not_classed", { count: sheets.not_classed }); // out of every count, and so on no sheet
  const classes = listed(page, reviewed, suggested);
  const white = classes.filter((one) => one.in_wbc);
  const others = classes.filter((one) => !one.in_wbc);
  const rows = (group) => group.map((one) => html`<${Class} key=${one.code} page=${page} of=${one} reviewed=${reviewed.get(one.code)} suggested=${suggested.get(one.code)} />`);
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
  </aside>`;
}

function Class({ page, of, reviewed, suggested }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const key = page.keys.ofClass(of.code);
  const none = !reviewed?.count && !suggested?.count;
  return html`<tr class=${none ? "is-none" : ""} data-class=${of.code}>
    <th scope="row">
      <button type="button" class="rv-class" data-do="decide" data-code=${of.code} disabled=${!page.mayDecide}
        title=${withKey(say(gettext("Move the selection to %(class)s"), { class: of.name }), key)}>
        <kbd>${keyName(key)}</kbd><span>${of.name}</span>
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
