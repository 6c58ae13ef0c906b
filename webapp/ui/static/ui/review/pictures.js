// The mosaics from which cells are cut: which are there, and those that could not be had are asked for again.

import { WAITS } from "./limits.js";

export const COLUMNS = 12; // cells beside each other in a mosaic, as webapp/ui/inference/mosaic.py draws it

export class Pictures {
  #states = new Map(); // by address: "asked" or "ready"

  // `load` loads an address; `show` hears that one has come.
  constructor({ load, show }) {
    Object.assign(this, { load, show });
  }

  ready(address) {
    return this.#states.get(address) === "ready";
  }

  get waiting() {
    return [...this.#states.values()].includes("asked");
  }

  async want(address, tries = 0) {
    if (this.#states.has(address) && !tries) return;
    this.#states.set(address, "asked");
    try {
      await this.load(address);
      this.#states.set(address, "ready");
      this.show();
    } catch {
      setTimeout(() => this.want(address, tries + 1), WAITS[Math.min(tries, WAITS.length - 1)]);
    }
  }
}

// The picture of an address as large as it is needed: one whose cells have 112 pixels, or 224.
export const sized = (address, side) => (side * (globalThis.devicePixelRatio ?? 1) > 116 ? address : `${address}?small`);

// How many cells lie in a mosaic, by its address: …/tiles/17-4-25.jpg
export const cellsIn = (address) => address.slice(address.lastIndexOf("/")).split("-").length;

// How a cell is cut from its mosaic so that all are drawn at one scale, at which pictures of side `fills` fill the square
// of `size`: a square of `drawn` pixels, of which `shown` are
// to be seen, in the middle.
export function cut(cell, size, fills) {
  const drawn = (size * cell.side) / fills;
  const shown = Math.min(drawn, size);
  const columns = Math.min(COLUMNS, cellsIn(cell.mosaic));
  const inset = (drawn - shown) / 2;
  const left = (cell.place % columns) * drawn + inset;
  const top = Math.floor(cell.place / columns) * drawn + inset;
  return { shown, width: columns * drawn, left, top };
}

// The same as a style, of the mosaic at `address`.
export function styleOf(cell, size, fills, address = cell.mosaic) {
  const { shown, width, left, top } = cut(cell, size, fills);
  return {
    width: `${shown}px`,
    height: `${shown}px`,
    backgroundImage: `url("${address}")`,
    backgroundSize: `${width}px`, // its height follows
    backgroundPosition: `${-left}px ${-top}px`,
  };
}

// The side in pixels of the picture that fills a square: that of most cells. Larger ones are cut to their middle, so one
// large picture does not make all others small.
export function reference(cells) {
  const sides = cells.map(({ side }) => side).toSorted((a, b) => a - b);
  return sides[Math.floor(sides.length * 0.9)] ?? 1;
}
