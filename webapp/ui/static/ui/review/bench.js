// What gestures do: to the cells on the page at once, then to the queue that sends them; what can be undone; what is
// asked because others decided the same cells. It knows no document.

import { BATCH } from "./limits.js";
import { Queue } from "./queue.js";
import { Selection, moved, nextUndecided, placeOf } from "./selection.js";
import { UNIDENTIFIED } from "./store.js";
import { counted } from "./words.js";

const open = (cell) => cell && !cell.decided && cell.suggested;
const remembered = ({ id, effect, before }) => ({ id, effect, before });

export class Bench {
  selection = new Selection();
  conflicts = []; // cells that a gesture did not decide: as each is now, and what was `wanted`
  differential = null;
  similar = null; // {of, cells} while cells that are similar to one are shown
  failure = ""; // why a gesture was not recorded

  // `send` sends a gesture and gives the answer; those in `waiting` were not answered before. `nameOf` gives a class's
  // name, `onScreen` the ids of a section's cells that were drawn and are wholly to be seen. `say` tells what a gesture
  // did, `goTo` shows a cell that is gone on to, `show` draws, `keep` keeps what is not saved and can be undone.
  constructor({ store, send, waiting = [], undo, newId, nameOf, onScreen, say, goTo, show, keep }) {
    Object.assign(this, { store, undo, newId, nameOf, onScreen, say, goTo, show, keep });
    this.queue = new Queue({
      send,
      waiting,
      show,
      keep: () => keep(this),
      answered: (gesture, answer) => this.answered(gesture, answer),
      failed: (gesture, error) => this.failed(gesture, error),
    });
    this.store.pending = [...waiting];
  }

  // What is looked at: the sections of classes, or one of similar cells.
  get sections() {
    if (!this.similar) return this.store.sections;
    const { cells } = this.similar;
    return [{ code: "similar", cells, count: cells.length, undecided: cells.filter((cell) => !cell.decided).length }];
  }

  get focused() {
    return this.store.get(this.selection.focus);
  }

  // The section that Enter is about: that of the focused cell.
  get current() {
    const place = placeOf(this.sections, this.selection.focus);
    return place ? this.sections[place[0]] : null;
  }

  // Whether cells of a section are confirmed only one by one or by a selection: each of them may be anything.
  isUnsure(section) {
    return section.code === UNIDENTIFIED || section.code === "similar";
  }

  start() {
    const first = nextUndecided(this.sections, 0, 0) ?? this.sections[0]?.cells[0]?.id ?? null;
    this.selection.go(first);
  }

  move(move, { columns, rows, extend = false, keep = false }) {
    const id = moved(this.sections, this.selection.focus, move, columns, rows);
    if (id === null) return;
    if (extend) this.#extend(id);
    else if (keep) this.selection.walk(id);
    else this.#leave(id);
    this.goTo(id, { rest: false });
    this.show();
  }

  #extend(id) {
    this.selection.extend(id, this.sections);
    this.sayChosen();
  }

  #leave(id) {
    if (this.selection.chosen.size) this.say("");
    this.selection.go(id);
  }

  sayChosen() {
    const n = this.selection.chosen.size;
    this.say(n ? counted(ngettext("%(n)s cell selected.", "%(n)s cells selected.", n), n) : "");
  }

  takeClass() {
    const section = this.current ?? this.sections[0];
    if (!section) return;
    const undecided = section.cells.filter((cell) => !cell.decided);
    const taken = undecided.length ? undecided : section.cells;
    this.selection.take(taken.map(({ id }) => id));
    this.sayChosen();
    this.show();
  }

  clear() {
    if (this.selection.chosen.size) {
      this.selection.clear();
      this.say("");
    } else if (this.similar) this.leaveSimilar();
    this.show();
  }

  // Moves the selection, or the focused cell, to a class, and goes on, unless the person is to `stay` there.
  decide(code, { ids = this.selection.targets, words = "", stay = false } = {}) {
    const cells = this.#known(ids);
    if (!cells.length) return;
    const next = this.#place(cells);
    this.#do(
      cells.map((cell) => [cell, code]),
      (part) => ({ decisions: part.map(([cell]) => ({ cell: cell.id, class: code, ...(words && { words }) })) }),
    );
    const said = ngettext("%(n)s cell is now %(name)s.", "%(n)s cells are now %(name)s.", cells.length);
    this.say(counted(said, cells.length, { name: this.nameOf(code) }));
    if (stay) this.show();
    else this.#goOn(next);
  }

  // What Enter would confirm: {ids, why} of the selection, of the focused cell, or of what is on the screen.
  get confirmable() {
    if (this.selection.chosen.size) return this.#known(this.selection.chosen).filter(open);
    const section = this.current;
    if (!section) return [];
    const seen = this.#known(this.onScreen(section.code)).filter(open);
    return this.isUnsure(section) ? seen.filter(({ id }) => id === this.selection.focus) : seen;
  }

  // The person agrees with what is suggested. Nothing is confirmed that was not to be seen.
  confirm(cells = this.confirmable) {
    if (!cells.length) {
      if (open(this.focused)) this.say(gettext("This cell is not to be seen yet."));
      else if (this.focused && !this.focused.decided) {
        this.say(gettext("The model suggests nothing for this cell. Give it a class by its key."));
      }
      this.#goOn(this.#place([this.focused].filter(Boolean)));
      return;
    }
    const next = this.#place(cells);
    this.#do(
      cells.map((cell) => [cell, cell.suggested]),
      (part) => ({ confirm: part.map(([cell]) => cell.id), seen: part.map(([cell]) => cell.suggested) }),
    );
    this.say(counted(ngettext("%(n)s cell confirmed.", "%(n)s cells confirmed.", cells.length), cells.length));
    this.#goOn(next, cells.length > 1);
  }

  takeBack() {
    this.#again(this.undo.undo(this.newId), gettext("Undone."), gettext("There is nothing to undo."));
  }

  redo() {
    this.#again(this.undo.redo(this.newId), gettext("Done again."), gettext("There is nothing to redo."));
  }

  #again(gestures, said, nothing) {
    this.say(gestures.length ? said : nothing);
    if (!gestures.length) return;
    this.#send(gestures);
    const cell = gestures[0].effect.map(([id]) => id).find((id) => this.store.get(id));
    if (cell !== undefined) {
      this.selection.go(cell);
      this.goTo(cell, { rest: false });
    }
    this.show();
  }

  // One deed, in as many gestures as the API asks for.
  #do(changes, bodyOf) {
    const parts = [];
    for (let start = 0; start < changes.length; start += BATCH) parts.push(changes.slice(start, start + BATCH));
    const gestures = parts.map((part) => {
      const effect = part.map(([cell, code]) => [cell.id, code]);
      const before = part.map(([cell]) => [cell.id, cell.decided ?? ""]);
      return Object.assign(bodyOf(part), { id: this.newId(), effect, before });
    });
    this.undo.did(gestures.map(remembered));
    this.#send(gestures);
  }

  // The revision is the one that the person saw: what others decided later is a conflict.
  #send(gestures) {
    this.failure = "";
    for (const gesture of gestures) {
      gesture.base = this.store.revision;
      this.store.begin(gesture);
    }
    this.queue.add(gestures);
  }

  answered(gesture, answer) {
    this.store.end(gesture, answer);
    if (answer.conflicts?.length && !answer.applied?.length) {
      this.undo.forget(gesture.id); // nothing was done that could be undone
      this.keep(this);
    }
    this.differential = answer.differential ?? this.differential;
    this.#ask(gesture, answer);
    this.show();
  }

  #ask(gesture, { conflicts = [] }) {
    const wanted = new Map(gesture.effect);
    const words = new Map(gesture.decisions?.map((one) => [one.cell, one.words]));
    const found = conflicts.map((now) => {
      const said = words.get(now.cell);
      return Object.assign({ wanted: wanted.get(now.cell) }, said && { words: said }, now);
    });
    if (!found.length) return;
    const again = new Set(found.map(({ cell }) => cell));
    this.conflicts = [...this.conflicts.filter(({ cell }) => !again.has(cell)), ...found];
    this.say(counted(ngettext("%(n)s cell is not as you saw it.", "%(n)s cells are not as you saw them.", found.length), found.length));
  }

  // How the person answers: `mine` is decided again, now that they know; what is not stays as it is.
  resolve(cells, mine) {
    const chosen = new Set(cells);
    const found = this.conflicts.filter(({ cell }) => chosen.has(cell));
    this.conflicts = this.conflicts.filter(({ cell }) => !chosen.has(cell));
    const again = found.filter(({ cell, wanted }) => mine && wanted && this.store.get(cell));
    if (again.length) {
      this.#do(
        again.map(({ cell, wanted, words }) => [this.store.get(cell), wanted, words]),
        (part) => ({ decisions: part.map(([cell, code, words]) => ({ cell: cell.id, class: code, ...(words && { words }) })) }),
      );
    }
    this.show();
  }

  failed(gesture, error) {
    this.store.drop(gesture);
    this.undo.forget(gesture.id);
    this.keep(this);
    this.failure = interpolate(gettext("Not recorded: %(why)s"), { why: error.message }, true);
    this.say(this.failure);
    this.show();
  }

  heard(answer) {
    this.store.hear(answer);
    this.differential = answer.differential ?? this.differential;
    this.show();
  }

  showSimilar(of, answer) {
    this.similar = { of, cells: this.store.takeRows(answer) };
    this.selection.go(this.similar.cells[0]?.id ?? of);
    this.show();
  }

  leaveSimilar() {
    const { of } = this.similar;
    this.similar = null;
    this.selection.go(of);
    this.goTo(of, { rest: false });
  }

  #known(ids) {
    return [...ids].map((id) => this.store.get(id)).filter(Boolean);
  }

  // The place after which to go on: that of the first of these cells.
  #place(cells) {
    const these = new Set(cells);
    for (const [s, section] of this.sections.entries()) {
      const index = section.cells.findIndex((cell) => these.has(cell));
      if (index >= 0) return { code: section.code, index, s };
    }
    return null;
  }

  // `rest`: what is left of the section is to be looked at next, not one cell.
  #goOn(from, rest = false) {
    if (!from) {
      this.show();
      return;
    }
    // Sections that became empty are gone; one that came may stand before it.
    const here = this.sections.findIndex(({ code }) => code === from.code);
    const next = here < 0 ? nextUndecided(this.sections, from.s, 0) : nextUndecided(this.sections, here, from.index);
    if (next === null) {
      this.selection.clear();
      if (!this.focused) this.start();
      if (!this.sections.some(({ undecided }) => undecided)) {
        this.say(gettext("All cells that are shown are decided."));
      }
    } else {
      this.selection.go(next);
      this.goTo(next, { rest: rest || this.current?.code !== from.code });
    }
    this.show();
  }
}
