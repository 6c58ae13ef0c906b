// Which cell has the focus, which are selected, and where a move leads. A view is a list of sections with their cells.

export class Selection {
  focus = null; // a cell's id
  chosen = new Set();
  #anchor = null; // where a range begins

  go(id) {
    this.focus = id;
    this.#anchor = id;
    this.chosen = new Set();
  }

  // The selection stays as it is.
  walk(id) {
    this.focus = id;
    this.#anchor = id;
  }

  toggle(id) {
    const chosen = new Set(this.chosen);
    if (!chosen.delete(id)) chosen.add(id);
    this.chosen = chosen;
    this.focus = id;
    this.#anchor = id;
  }

  // From where the range began to this cell, in the order of the view.
  extend(id, sections) {
    const to = placeOf(sections, id);
    if (!to) return;
    const from = placeOf(sections, this.#anchor ?? this.focus) ?? to;
    this.chosen = new Set(between(sections, from, to));
    this.#anchor = sections[from[0]].cells[from[1]].id;
    this.focus = id;
  }

  take(ids, more = false) {
    this.chosen = new Set(more ? [...this.chosen, ...ids] : ids);
  }

  clear() {
    this.chosen = new Set();
    this.#anchor = this.focus;
  }

  // The cells that a gesture is about: those selected, else the one with the focus.
  get targets() {
    if (this.chosen.size) return [...this.chosen];
    return this.focus === null ? [] : [this.focus];
  }
}

// Where a cell is in the view: [section, place in it], or null.
export function placeOf(sections, id) {
  for (const [s, { cells }] of sections.entries()) {
    const guess = cells.findIndex((cell) => cell.id === id);
    if (guess >= 0) return [s, guess];
  }
  return null;
}

// The ids of the cells from one place to another, whichever comes first.
function between(sections, one, other) {
  const [from, to] = one[0] < other[0] || (one[0] === other[0] && one[1] <= other[1]) ? [one, other] : [other, one];
  const ids = [];
  for (let s = from[0]; s <= to[0]; s += 1) {
    const { cells } = sections[s];
    const end = s === to[0] ? to[1] + 1 : cells.length;
    for (let i = s === from[0] ? from[1] : 0; i < end; i += 1) ids.push(cells[i].id);
  }
  return ids;
}

const filled = (sections, from, step) => {
  for (let s = from; sections[s]; s += step) if (sections[s].cells.length) return s;
  return -1;
};

// The cell to which a move leads from one; the same where there is no further one. Left and right wrap at the ends of
// rows and go on in the next section; up and down keep the column.
export function moved(sections, id, move, columns, rows = 1) {
  const place = placeOf(sections, id);
  if (!place) {
    const first = filled(sections, 0, 1);
    return first < 0 ? null : sections[first].cells[0].id;
  }
  const [s, i] = place;
  const { cells } = sections[s];
  const at = (section, index) => sections[section].cells[index].id;
  const row = Math.floor(i / columns);
  const column = i % columns;
  const lastRow = Math.floor((cells.length - 1) / columns);
  const next = filled(sections, s + 1, 1);
  const previous = filled(sections, s - 1, -1);
  switch (move) {
    case "right":
      if (i + 1 < cells.length) return at(s, i + 1);
      return next < 0 ? id : at(next, 0);
    case "left":
      if (i > 0) return at(s, i - 1);
      return previous < 0 ? id : at(previous, sections[previous].cells.length - 1);
    case "down":
      if (row < lastRow) return at(s, Math.min(i + columns, cells.length - 1));
      return next < 0 ? id : at(next, Math.min(column, sections[next].cells.length - 1));
    case "up": {
      if (row > 0) return at(s, i - columns);
      if (previous < 0) return id;
      const above = sections[previous].cells.length;
      return at(previous, Math.min(Math.floor((above - 1) / columns) * columns + column, above - 1));
    }
    case "page-down":
      return again(sections, id, "down", columns, rows);
    case "page-up":
      return again(sections, id, "up", columns, rows);
    case "first":
      return at(s, 0);
    case "last":
      return at(s, cells.length - 1);
    case "next-section":
      return next < 0 ? id : at(next, 0);
    case "previous-section":
      return previous < 0 ? at(s, 0) : at(previous, 0);
    default:
      throw new RangeError(`There is no move ${move}.`);
  }
}

function again(sections, id, move, columns, rows) {
  let at = id;
  for (let row = 0; row < rows; row += 1) at = moved(sections, at, move, columns);
  return at;
}

const open = (cell) => !cell.decided;

// The undecided cell to go on to, from a place: the next of the section, else one before it, else of the sections that
// follow, and around. Null where all loaded cells are decided.
export function nextUndecided(sections, s, i) {
  const { cells } = sections[s] ?? { cells: [] };
  const here = cells.slice(i).find(open) ?? cells.slice(0, i).find(open);
  if (here) return here.id;
  for (let step = 1; step <= sections.length; step += 1) {
    const found = sections[(s + step) % sections.length].cells.find(open);
    if (found) return found.id;
  }
  return null;
}
