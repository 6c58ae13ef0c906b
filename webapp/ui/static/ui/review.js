// The review of a case's cells: galleries by class, decided by keys, mouse or touch.

import { render } from "./vendor/preact-11.2.0.min.js";
import { Kept } from "./kept.js";
import { Page } from "./review/page.js";
import { dialog, html, seen, size, tick } from "./review/state.js";
import { Bar } from "./review/views/bar.js";
import { ConflictsDialog, KeysDialog, WordsDialog } from "./review/views/dialogs.js";
import { EarlierDialog } from "./review/views/earlier.js";
import { Gallery, newCells } from "./review/views/gallery.js";
import { Filter, Head, Notes } from "./review/views/head.js";
import { Large } from "./review/views/large.js";
import { Panel } from "./review/views/panel.js";
import { RemarksDialog } from "./review/views/remarks.js";

// A tab that was made as a copy of another is another one: the lock tells.
async function clientOf(reading) {
  const kept = new Kept(() => sessionStorage, `client ${reading}`);
  const { id = crypto.randomUUID() } = kept.read();
  const isFree = await alone(id);
  const client = isFree ? id : crypto.randomUUID();
  if (!isFree) alone(client);
  kept.write({ id: client });
  return client;
}

function alone(id) {
  return new Promise((resolve) => {
    if (!navigator.locks) return resolve(true);
    return navigator.locks
      .request(`review ${id}`, { ifAvailable: true }, (lock) => {
        resolve(Boolean(lock));
        return lock && new Promise(() => {}); // held until the tab is gone
      })
      .catch(() => resolve(true));
  });
}

function Open({ page }) {
  const open = dialog.value;
  if (!open) return null;
  switch (open.name) {
    case "keys":
      return html`<${KeysDialog} page=${page} />`;
    case "words":
      return html`<${WordsDialog} page=${page} ids=${open.ids} back=${open.back} stay=${open.stay} />`;
    case "remarks":
      return html`<${RemarksDialog} page=${page} />`;
    case "earlier":
      return html`<${EarlierDialog} page=${page} code=${open.code} />`;
    case "tour":
      return null;
    case "conflicts":
      return html`<${ConflictsDialog} page=${page} />`;
    default:
      return html`<${Large} page=${page} evidence=${Boolean(open.evidence)} evidenceOf=${open.evidenceOf ?? ""} />`;
  }
}

function Invitation({ page }) {
  tick.value; // eslint-disable-line no-unused-expressions
  if (page.likes.read().toured || !page.mayDecide || !page.total) return null;
  const no = () => {
    page.likes.write({ toured: true });
    tick.value += 1;
  };
  return html`<p class="rv-note">${gettext("First time here? The page is best worked by keys.")}
    <button type="button" class="button button-small button-main" onClick=${() => page.tour()}>${gettext("Take the tour")}</button>
    <button type="button" class="button button-small" onClick=${no}>${gettext("Not now")}</button></p>`;
}

function App({ page }) {
  const narrow = seen.value.width < 600 && size.value === "large" ? " is-narrow" : "";
  return html`
    <${Head} page=${page} />
    <${Filter} page=${page} />
    <div class="rv-notes"><${Invitation} page=${page} /><${Notes} page=${page} />${newCells(page)}</div>
    <div class=${`rv-body${narrow}`}>
      <${Gallery} page=${page} />
      <${Panel} page=${page} />
    </div>
    <${Bar} page=${page} />
    <${Open} page=${page} />
  `;
}

const seed = JSON.parse(document.getElementById("review-seed").textContent);
const page = new Page(seed, await clientOf(seed.reading));
const root = document.getElementById("review");
root.replaceChildren();
render(html`<${App} page=${page} />`, root);
page.listen(root);
page.focus();
page.poll();
if (new URLSearchParams(location.search).has("remarks")) page.do("remarks");
page.loadRest();
