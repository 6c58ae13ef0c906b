// One cell in the gallery. It is drawn again only when something about it changed.

import { Component } from "../../vendor/preact-11.2.0.min.js";
import { styleOf } from "../pictures.js";
import { html } from "../state.js";
import { say } from "../../language.js";
import { percent } from "../words.js";

// The less sure the model is, the more marks a cell bears; most bear none, so what is left to be seen needs an eye.
const DOUBTS = [0.995, 0.98, 0.9];
const doubts = (confidence) => DOUBTS.filter((sure) => confidence < sure).length;

export class Cell extends Component {
  shouldComponentUpdate(next) {
    return Object.keys(next).some((name) => next[name] !== this.props[name]);
  }

  render({ id, mosaic, picture: address, place, side, size, reference, ready, confidence, suggested, decided, name, said, chosen, focused, caption, asked }) {
    const picture = ready && styleOf({ mosaic, place, side }, size, reference, address);
    const classes = ["rv-cell", decided ? "is-decided" : "is-suggested", chosen && "is-chosen", focused && "is-focused", asked && "is-asked"];
    return html`<div
      id=${`cell-${id}`}
      class=${classes.filter(Boolean).join(" ")}
      role="gridcell"
      aria-selected=${chosen ? "true" : "false"}
      aria-label=${said}
      data-cell=${id}
      draggable="true"
    >
      <div class="rv-square">
        ${picture && html`<div class="rv-picture" style=${picture}></div>`}
        ${!decided && confidence !== null && doubts(confidence) > 0 && html`<span class=${`rv-doubts rv-doubts-${doubts(confidence)}`}></span>`}
        ${decided && html`<span class="rv-mark" aria-hidden="true">${decided === suggested ? "✓" : "→"}</span>`}
        ${name && html`<span class="rv-name" aria-hidden="true">${name}</span>`}
      </div>
      ${caption && html`<div class="rv-caption" data-caption=${caption}></div>`}
    </div>`;
  }
}

// What a cell is, in words.
export function inWords(cell, { nameOf, person }) {
  if (cell.decided) {
    const who = person ? { class: nameOf(cell.decided), person } : { class: nameOf(cell.decided) };
    const text = person ? gettext("%(class)s, decided by %(person)s") : gettext("%(class)s, decided");
    return say(text, who);
  }
  if (!cell.suggested) return gettext("Unidentified, nothing suggested");
  const values = { class: nameOf(cell.suggested), confidence: percent(cell.confidence) };
  if (cell.unlike) return say(gettext("Unidentified, unfamiliar, most like %(class)s, %(confidence)s"), values);
  if (cell.flagged) return say(gettext("Unidentified, most like %(class)s, %(confidence)s"), values);
  return say(gettext("%(class)s, suggested, %(confidence)s"), values);
}
