// The cells of a class in an earlier signed result of the patient, beside those of this case.

import { useEffect, useState } from "../../vendor/preact-hooks-11.2.0.min.js";
import { html, tick } from "../state.js";
import { number, say } from "../../language.js";
import { EARLIER } from "../limits.js";
import { sized, styleOf } from "../pictures.js";
import { counted, tenth } from "../words.js";
import { Modal, close } from "./dialogs.js";

const SIDE = 76;
const day = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium" });
// The API gives times where the lab is; the day there is meant.
const dayOf = ({ at }) => day.format(new Date(`${at.slice(0, 10)}T12:00`));

export function EarlierDialog({ page, code }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const [results, know] = useState(null);
  const [at, go] = useState(0);
  const [cells, show] = useState(null);
  const [problem, complain] = useState("");
  const ask = (how) => page.earlier.results(code, how).then(know).catch((error) => complain(error.message));
  useEffect(() => void ask(), [code]);
  const result = results?.[at];
  useEffect(() => {
    show(null);
    let isOver = false;
    if (result) {
      page.earlier
        .cells(result, code)
        .then((found) => !isOver && show(found))
        .catch((error) => !isOver && complain(error.message));
    }
    return () => (isOver = true);
  }, [result?.result]);
  const older = async () => {
    if (at + 1 >= results.length && page.earlier.hasOlder) await ask({ older: true });
    go(at + 1);
  };
  const here = page.bench.store.section(code)?.cells ?? [];
  const isLast = !results || (at + 1 >= results.length && !page.earlier.hasOlder);
  return html`<${Modal} label=${gettext("Earlier cells")} name="rv-earlier">
    <div class="dialog-head">
      <h2>${page.nameOf(code)}</h2>
      <span class="rv-steps">
        <button type="button" class="button" disabled=${isLast} onClick=${older} title=${gettext("Older result")}><span aria-hidden="true">←</span><span class="hidden">${gettext("Older result")}</span></button>
        <button type="button" class="button" disabled=${at === 0} onClick=${() => go(at - 1)} title=${gettext("Newer result")}><span aria-hidden="true">→</span><span class="hidden">${gettext("Newer result")}</span></button>
        ${close}
      </span>
    </div>
    <p class="rv-problem" role="alert">${problem}</p>
    <div class="rv-sides" aria-live="polite">
      <section aria-label=${gettext("This case")}>
        <h3>${gettext("This case")}</h3>
        <p class="quiet">${counted(ngettext("%(n)s cell", "%(n)s cells", here.length), here.length)}</p>
        <${Cells} page=${page} cells=${here.slice(0, EARLIER)} />
      </section>
      ${result && html`<section aria-label=${gettext("Earlier result")}>
        <h3>${say(gettext("%(day)s, case %(accession)s"), { day: dayOf(result), accession: result.accession })}</h3>
        <p class="quiet">${said(result)}</p>
        ${cells ? html`<${Cells} page=${page} cells=${cells} />` : html`<p class="quiet">${gettext("Loading…")}</p>`}
        ${cells && result.value?.count > cells.length && html`<p class="quiet">${counted(ngettext("%(n)s is shown", "%(n)s are shown", cells.length), cells.length)}</p>`}
      </section>`}
      ${results && !result && html`<p class="empty">${gettext("There is no earlier signed result of this patient.")}</p>`}
      ${!results && !problem && html`<p class="quiet">${gettext("Loading…")}</p>`}
    </div>
  <//>`;
}

function Cells({ page, cells }) {
  return html`<div class="rv-earlier-cells">${cells.map((cell) => html`<div key=${cell.id} class="rv-picture" style=${styleOf(cell, SIDE, page.reference, sized(cell.mosaic, SIDE))}></div>`)}</div>`;
}

// What was signed of the class then.
function said({ value, is_being_amended: isAmended }) {
  if (!value?.count) return gettext("No such cell was signed");
  const parts = [counted(ngettext("%(n)s cell", "%(n)s cells", value.count), value.count)];
  if (value.percent !== null) parts.push(say(gettext("%(share)s %"), { share: tenth(Number(value.percent)) }));
  if (value.absolute !== null) parts.push(say(gettext("%(value)s ×10⁹/L"), { value: number(Number(value.absolute)) }));
  if (isAmended) parts.push(gettext("being amended"));
  return parts.join(" · ");
}
