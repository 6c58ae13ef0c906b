// The cells of a reading as the page knows them: what the server said, and over it what was done since and is not yet
// answered. Sections are classes, in the order of the review.

export const UNIDENTIFIED = "unidentified";

// One cell from a row of the API.
function cellOf(row, mosaics) {
  const [id, suggested, confidence, flagged, decided, by, side, mosaic, place, unlike] = row;
  return {
    id, suggested, confidence, side, place,
    flagged: Boolean(flagged),
    unlike: Boolean(unlike),
    mosaic: mosaics[mosaic],
    said: { code: decided, by }, // by the server
    decided, by, // as it is shown
    late: decided ? 1 : 0, // what was decided when it came stands behind what was not
  };
}

const byCell = new WeakMap(); // gestures' effects, for asking cell by cell
function effectOn(gesture, id) {
  if (!byCell.has(gesture)) byCell.set(gesture, new Map(gesture.effect));
  return byCell.get(gesture).get(id);
}

const suggestedSection = (cell) => (cell.flagged || !cell.suggested ? UNIDENTIFIED : cell.suggested);
const sectionOf = (cell) => cell.decided ?? suggestedSection(cell);
const inOrder = (a, b) => a.late - b.late || (a.confidence ?? -1) - (b.confidence ?? -1) || a.id - b.id;

export class Store {
  people = {};
  revision = 0;
  begun = 0; // how often, so that what was asked for before is known
  sections = [];
  pending = []; // gestures that nobody answered
  #cells = new Map();
  #list = []; // the cells in the order in which they came
  #left = new Map(); // by class: {count, undecided, next} of what was not loaded
  #moves = 0;

  // `order`: the classes' codes in the order of the review. `me`: the id of whoever looks.
  constructor({ order, me }) {
    Object.assign(this, { order, me });
  }

  get(id) {
    return this.#cells.get(id);
  }

  get loaded() {
    return this.#cells.size;
  }

  section(code) {
    return this.sections.find((section) => section.code === code);
  }

  get undecided() {
    return this.sections.reduce((sum, { undecided }) => sum + undecided, 0);
  }

  // Begin anew with an answer of the API; what is pending stays pending.
  replace(answer) {
    this.begun += 1;
    this.#cells.clear();
    this.#list = [];
    this.#left.clear();
    this.revision = answer.revision;
    for (const { code, count, undecided, next } of answer.sections.map(named)) {
      this.#left.set(code, { count, undecided, next });
    }
    this.#take(answer);
  }

  // More cells of sections that are known.
  add(answer) {
    for (const { code, next } of answer.sections.map(named)) {
      const left = this.#left.get(code);
      if (left) left.next = next;
    }
    this.#take(answer);
  }

  // What is suggested by now of cells that are here; whether there are others. What was decided stays, and so do cells
  // that were: only what nobody decided goes to where it is suggested to be.
  suggest({ sections }) {
    let others = false;
    for (const row of sections.flatMap(({ cells }) => cells)) {
      const cell = this.#cells.get(row[0]);
      const { suggested, confidence, flagged, unlike } = cellOf(row, []);
      if (!cell) others = true;
      else if (cell.suggested !== suggested || cell.confidence !== confidence || cell.flagged !== flagged || cell.unlike !== unlike) {
        Object.assign(cell, { suggested, confidence, flagged, unlike });
        if (!cell.decided) cell.home = suggestedSection(cell);
        this.#settle(cell);
      }
    }
    this.#list.sort(inOrder);
    this.#sort();
    return others;
  }

  // Cells without a place of their own, as those that are similar to one; gives them as the store knows them.
  takeRows({ cells, mosaics, people }) {
    this.#take({ sections: [{ cells }], mosaics, people });
    return cells.map(([id]) => this.get(id));
  }

  #take({ sections, mosaics, people }) {
    Object.assign(this.people, people);
    for (const row of sections.flatMap(({ cells }) => cells)) {
      if (this.#cells.has(row[0])) continue;
      const cell = cellOf(row, mosaics);
      cell.home = sectionOf(cell);
      const left = this.#left.get(cell.home);
      if (left) {
        left.count -= 1;
        if (!cell.decided) left.undecided -= 1;
      }
      this.#cells.set(cell.id, cell);
      this.#list.push(cell);
      this.#settle(cell);
    }
    for (const left of this.#left.values()) if (!left.next) Object.assign(left, { count: 0, undecided: 0 });
    this.#list.sort(inOrder);
    this.#sort();
  }

  // Whether something was done to a cell that nobody answered yet.
  isPending(id) {
    return this.pending.some((gesture) => effectOn(gesture, id) !== undefined);
  }

  // A gesture is shown before it is answered. Its effect: [cell, class] each, "" for undecided.
  begin(gesture) {
    this.pending.push(gesture);
    this.#settleAll(gesture);
  }

  // What the server made of a gesture.
  end(gesture, { revision, applied = [], conflicts = [], changes = [], people }) {
    Object.assign(this.people, people);
    this.pending = this.pending.filter(({ id }) => id !== gesture.id);
    for (const { cell, class: code, by } of [...changes, ...conflicts]) this.#hear(cell, code, by);
    for (const { cell, suggested, flagged } of conflicts) {
      // The model may have been asked again since.
      if (this.get(cell) && suggested) Object.assign(this.get(cell), { suggested, flagged: Boolean(flagged) });
    }
    for (const [id, code] of applied) this.#hear(id, code, this.me);
    this.revision = Math.max(this.revision, revision);
    for (const { cell } of [...changes, ...conflicts]) if (this.get(cell)) this.#settle(this.get(cell));
    this.#settleAll(gesture);
  }

  // A gesture that the server does not want: as if it had not been.
  drop(gesture) {
    this.pending = this.pending.filter(({ id }) => id !== gesture.id);
    this.#settleAll(gesture);
  }

  // What others did.
  hear({ revision, changes, people }) {
    Object.assign(this.people, people);
    for (const { cell, class: code, by } of changes) {
      this.#hear(cell, code, by);
      if (this.get(cell)) this.#settle(this.get(cell));
    }
    this.revision = Math.max(this.revision, revision);
    this.#sort();
  }

  #hear(id, code, by) {
    const cell = this.get(id);
    if (cell) cell.said = { code: code || null, by: code ? by : null };
  }

  #settleAll({ effect }) {
    for (const [id] of effect) if (this.get(id)) this.#settle(this.get(id));
    this.#sort();
  }

  #settle(cell) {
    let { code, by } = cell.said;
    for (const gesture of this.pending) {
      const now = effectOn(gesture, cell.id);
      if (now !== undefined) [code, by] = now ? [now, this.me] : [null, null];
    }
    const before = cell.section;
    cell.decided = code;
    cell.by = by;
    cell.section = sectionOf(cell);
    if (before !== undefined && before !== cell.section) cell.arrived = this.#moves += 1;
  }

  // A cell is where it came, or behind those where it was moved to; so cells keep their places while others are decided.
  #sort() {
    const found = new Map();
    for (const cell of this.#list) {
      if (!found.has(cell.section)) found.set(cell.section, { own: [], guests: [] });
      const { own, guests } = found.get(cell.section);
      (cell.home === cell.section ? own : guests).push(cell);
    }
    const codes = [...this.order, ...[...found.keys()].filter((code) => !this.order.includes(code))];
    this.sections = [];
    for (const code of codes) {
      const { own = [], guests = [] } = found.get(code) ?? {};
      const left = this.#left.get(code) ?? { count: 0, undecided: 0, next: null };
      const cells = [...own, ...guests.toSorted((a, b) => a.arrived - b.arrived)];
      if (!cells.length && !left.count) continue;
      let undecided = left.undecided;
      for (const [index, cell] of cells.entries()) {
        cell.index = index;
        if (!cell.decided) undecided += 1;
      }
      this.sections.push({ code, cells, undecided, count: cells.length + left.count, next: left.next });
    }
  }
}

// Sections of the API say `class`, which is no name for a variable.
function named({ class: code, ...rest }) {
  return { code, ...rest };
}
