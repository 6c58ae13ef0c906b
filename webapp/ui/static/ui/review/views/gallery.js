// The galleries: all sections below one another in one grid, of which only what is near the screen is drawn.

import { useEffect, useRef } from "../../vendor/preact-hooks-11.2.0.min.js";
import { HEAD, drawn, framed, layout, whole } from "../grid.js";
import { SIZES } from "../limits.js";
import { html, isCovered, more, redraw, seen, size as liked, tick, withKey } from "../state.js";
import { number, say } from "../../language.js";
import { counted, percent } from "../words.js";
import { sized } from "../pictures.js";
import { placeOf } from "../selection.js";
import { Cell, inWords } from "./cell.js";

const OVER = 400; // pixels that are drawn above and below the screen

export const planOf = (page) =>
  layout(page.bench.sections, {
    width: seen.value.width,
    side: SIZES[liked.value],
    captioned: (code) => page.isCaptioned(code),
  });

// The ids of a section's cells that were drawn and are wholly on the screen.
export function onScreen(page, code) {
  const b = page.bench.sections.findIndex((section) => section.code === code);
  if (b < 0 || !page.scroller || isCovered()) return [];
  const { top, height } = seen.value; // what the scroller says itself it says only once all is laid out
  const plan = planOf(page);
  const [from, to] = whole(plan, b, top, top + height);
  const { cells } = page.bench.sections[b];
  return cells.slice(from, to).filter((cell) => page.pictures.ready(sized(cell.mosaic, plan.size))).map(({ id }) => id);
}

const isWithin = (row, from, to) => row >= from && row < to;

export function Gallery({ page }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const scroller = useRef();
  const frame = useFrame(page, scroller);
  useEffect(() => measured(page, scroller.current), []);
  const { sections, selection } = page.bench;
  const plan = planOf(page);
  const { top, height } = seen.value;
  const current = page.bench.current?.code;
  const rows = drawn(plan, top, top + height, { over: OVER });
  const place = placeOf(sections, selection.focus);
  const isFocusDrawn = place && rows.some(([b, from, to]) => b === place[0] && isWithin(place[1] / plan.columns, from, to));
  return html`<div
    ref=${scroller}
    id="gallery"
    class=${`rv-gallery rv-${liked.value}`}
    role="grid"
    tabindex="0"
    aria-multiselectable="true"
    aria-label=${gettext("Cells by class")}
    aria-activedescendant=${isFocusDrawn ? `cell-${selection.focus}` : null}
    onScroll=${() => look(scroller.current)}
    onClick=${(event) => page.clicked(event)}
    onDblClick=${(event) => page.doubleClicked(event)}
    onDragStart=${(event) => page.dragged(event)}
    onPointerDown=${frame.down}
  >
    <div class="rv-sizer" role="presentation" style=${{ height: `${plan.height}px`, "--side": `${plan.size}px` }}>
      ${rows.map(
        ([b, from, to]) => html`<${Section} key=${sections[b].code} page=${page} section=${sections[b]} block=${plan.blocks[b]}
          columns=${plan.columns} size=${plan.size} from=${from} to=${to} top=${top} height=${height} isCurrent=${sections[b].code === current} />`,
      )}
      ${frame.drawn && html`<div class="rv-frame" style=${frame.drawn}></div>`}
    </div>
    ${!sections.length && html`<${Nothing} page=${page} />`}
  </div>`;
}

function Section({ page, section, block, columns, size, from, to, top, height, isCurrent }) {
  const { code, count } = section;
  const rows = [];
  for (let row = from; row < to; row += 1) {
    const y = block.top + HEAD + row * block.pitch;
    const isSeen = y < top + height && y + block.pitch > top;
    rows.push(html`<${Row} key=${row} page=${page} isSeen=${isSeen} section=${section} row=${row} columns=${columns} size=${size} top=${HEAD + row * block.pitch} />`);
  }
  const name = page.nameOf(code);
  return html`<div
    class=${`rv-section${isCurrent ? " is-current" : ""}${code === "unidentified" ? " is-unidentified" : ""}`}
    role="rowgroup"
    aria-label=${name}
    data-class=${page.isTarget(code) ? code : null}
    style=${{ top: `${block.top}px`, height: `${block.height}px` }}
  >
    <div class="rv-head" role="row">
      <div class="rv-head-said" role="gridcell">
        <h2>${name}</h2>
        <span class="count">${number(count)}</span>
        <span class="quiet">${aboutSection(section)}</span>
      </div>
      ${isCurrent && html`<div role="gridcell"><${Confirm} page=${page} /></div>`}
    </div>
    ${rows}
  </div>`;
}

function aboutSection({ code, undecided }) {
  if (!undecided) return gettext("all decided");
  if (code === "unidentified") return gettext("the model is unsure: look at each, and say what it is");
  if (code === "similar") return gettext("most alike first");
  return counted(ngettext("%(n)s undecided, least sure first", "%(n)s undecided, least sure first", undecided), undecided);
}

// What Enter does, for those who point.
function Confirm({ page }) {
  tick.value; // eslint-disable-line no-unused-expressions
  const n = page.bench.confirmable.length;
  if (!n || !page.mayDecide) return null;
  const { chosen } = page.bench.selection;
  const section = page.bench.current;
  let text = counted(ngettext("Confirm %(n)s on the screen", "Confirm %(n)s on the screen", n), n);
  if (chosen.size) text = counted(ngettext("Confirm %(n)s selected", "Confirm %(n)s selected", n), n);
  else if (page.bench.isUnsure(section)) {
    text = say(gettext("Confirm as %(class)s"), { class: page.nameOf(page.bench.focused.suggested) });
  }
  return html`<button type="button" class="button button-small rv-confirm" tabindex="-1" data-do="confirm" title=${withKey(text, "Enter")}>${text} <kbd>↵</kbd></button>`;
}

function Row({ page, isSeen, section, row, columns, size, top }) {
  const cells = [];
  const end = Math.min(section.count, (row + 1) * columns);
  for (let i = row * columns; i < end; i += 1) {
    const cell = section.cells[i];
    cells.push(cell ? html`<${Tile} key=${cell.id} page=${page} isSeen=${isSeen} cell=${cell} code=${section.code} size=${size} />` : html`<div key=${`none-${i}`} class="rv-cell" role="gridcell" aria-label=${gettext("Not loaded yet")}><div class="rv-square"></div></div>`);
  }
  return html`<div class="rv-row" role="row" style=${{ top: `${top}px` }}>${cells}</div>`;
}

function Tile({ page, isSeen, cell, code, size }) {
  const { selection, conflicts } = page.bench;
  const picture = sized(cell.mosaic, size);
  if (isSeen || !page.pictures.waiting) page.pictures.want(picture); // on a slow line, first what is to be seen
  const person = cell.decided && cell.by !== page.me ? (page.bench.store.people[cell.by] ?? "") : "";
  return html`<${Cell}
    id=${cell.id} mosaic=${cell.mosaic} picture=${picture} place=${cell.place} side=${cell.side} size=${size} reference=${page.reference}
    ready=${page.pictures.ready(picture)} confidence=${cell.confidence} suggested=${cell.suggested} decided=${cell.decided}
    name=${person} said=${inWords(cell, { nameOf: (one) => page.nameOf(one), person })}
    chosen=${selection.chosen.has(cell.id)} focused=${selection.focus === cell.id}
    asked=${conflicts.some((conflict) => conflict.cell === cell.id)}
    caption=${page.isCaptioned(code) ? captionOf(page, cell) : ""}
  />`;
}

function captionOf(page, cell) {
  if (cell.decided) return page.shortOf(cell.decided);
  if (!cell.suggested) return gettext("no suggestion");
  const said = `${page.shortOf(cell.suggested)} ${percent(cell.confidence)}`;
  if (cell.unlike) return say(gettext("≠ %(suggestion)s"), { suggestion: said });
  return cell.flagged ? say(gettext("%(suggestion)s ?"), { suggestion: said }) : said;
}

function Nothing({ page }) {
  if (page.isFiltered) {
    return html`<p class="empty">${gettext("No cell is like that.")} <button type="button" class="button button-small" data-do="unfilter">${gettext("Show all cells")}</button></p>`;
  }
  return html`<p class="empty">${gettext("This case has no cells yet. They appear here as its images are classified.")} <a href=${page.addresses.case}>${gettext("Upload images")}</a></p>`;
}

function look(element) {
  const { scrollTop, clientHeight } = element;
  const width = innerWidth(element);
  const { top, height, width: before } = seen.value;
  if (top !== scrollTop || height !== clientHeight || width !== before) seen.value = { top: scrollTop, height: clientHeight, width };
}

function innerWidth(element) {
  const style = getComputedStyle(element);
  return element.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight);
}

function measured(page, element) {
  page.scroller = element;
  look(element);
  const observer = new ResizeObserver(() => look(element));
  observer.observe(element);
  return () => observer.disconnect();
}

// A frame drawn with the mouse from between the cells selects what it touches.
function useFrame(page, scroller) {
  const frame = useRef(null);
  const at = (event) => {
    const sizer = scroller.current.querySelector(".rv-sizer").getBoundingClientRect();
    return [event.clientX - sizer.left, event.clientY - sizer.top];
  };
  const move = (event) => {
    const [x, y] = at(event);
    const { from, before } = frame.current;
    const box = { left: Math.min(x, from[0]), right: Math.max(x, from[0]), top: Math.min(y, from[1]), bottom: Math.max(y, from[1]) };
    frame.current.drawn = { left: `${box.left}px`, top: `${box.top}px`, width: `${box.right - box.left}px`, height: `${box.bottom - box.top}px` };
    const { sections, selection } = page.bench;
    const touched = framed(planOf(page), box, sections.map(({ cells }) => cells.length));
    selection.take([...before, ...touched.map(([b, i]) => sections[b].cells[i].id)]);
    redraw();
  };
  const up = () => {
    removeEventListener("pointermove", move);
    if (frame.current.drawn) page.bench.sayChosen();
    frame.current = null;
    redraw();
  };
  const down = (event) => {
    const isBetween = !event.target.closest("[data-cell], button, a");
    const isOnScrollbar = event.offsetX > scroller.current.clientWidth && event.target === scroller.current;
    if (event.pointerType !== "mouse" || event.button !== 0 || !isBetween || isOnScrollbar) return;
    frame.current = { from: at(event), before: event.shiftKey || event.ctrlKey || event.metaKey ? page.bench.selection.chosen : [] };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up, { once: true });
  };
  return { down, drawn: frame.current?.drawn };
}

export const newCells = (page) =>
  more.value && html`<p class="rv-note">${gettext("More cells have come in.")} <button type="button" class="button button-small" onClick=${() => page.reload()}>${gettext("Show them")}</button></p>`;
