// Narrow screens, by touch: a bar of classes to move what is selected to.

import { html, tick } from "../state.js";
import { counted } from "../words.js";

export function Bar({ page }) {
  tick.value; // eslint-disable-line no-unused-expressions
  if (!page.mayDecide) return null;
  const chosen = page.bench.selection.chosen.size;
  const n = page.bench.confirmable.length;
  return html`<div class="rv-bar">
    <div class="rv-bar-do">
      <span>${chosen ? counted(ngettext("%(n)s selected", "%(n)s selected", chosen), chosen) : gettext("Tap to select")}</span>
      ${chosen > 0 && html`<button type="button" class="button button-small" data-do="clear">${gettext("None")}</button>`}
      ${page.bench.focused && html`<button type="button" class="button button-small" data-do="large">${gettext("Large")}</button>`}
      <button type="button" class="button button-small button-main" data-do="confirm" disabled=${!n}>${counted(ngettext("Confirm %(n)s", "Confirm %(n)s", n), n)}</button>
    </div>
    <div class="rv-bar-classes" role="group" aria-label=${gettext("Move to")} tabindex="0">
      ${page.classes.map((one) => html`<button type="button" class="button button-small rv-chip" data-do="decide" data-code=${one.code} title=${one.name}>${page.shortOf(one.code)}</button>`)}
    </div>
  </div>`;
}
