// Earlier signed results of the patient, and the cells that were signed of one class.

import { EARLIER } from "./limits.js";

// The class whose cells are compared: of what the cell is decided to be, else of what it seems.
export const classOf = (cell) => cell?.decided ?? cell?.suggested ?? null;

// The earlier results in an answer of the API, latest first, each with what it says of a class.
export function resultsOf({ results, has_now: hasNow, rows }, code) {
  const earlier = hasNow ? results.slice(0, -1) : results;
  const values = rows.find((row) => row.class === code)?.values ?? [];
  return earlier
    .map((result, place) => Object.assign({ value: values[place] ?? null }, result))
    .filter(({ problem }) => !problem)
    .toReversed();
}

// What an answer of the API with one class's cells says: those that were decided to be of it.
export function cellsOf({ sections, mosaics }, code) {
  const section = sections.find((one) => one.class === code);
  return (section?.cells ?? [])
    .filter(([, , , , decided]) => decided === code)
    .map(([id, , , , , , side, mosaic, place]) => ({ id, side, place, mosaic: mosaics[mosaic] }));
}

// Asks once for each: results, and cells by result and class.
export class Earlier {
  #answers = [];
  #cells = new Map();

  constructor(server) {
    this.server = server;
  }

  // Whether there are older ones than those that were asked for.
  get hasOlder() {
    return Boolean(this.#answers.at(-1)?.older);
  }

  async results(code, { older = false } = {}) {
    if (!this.#answers.length || older) this.#answers.push(await this.server.earlier(this.#answers.at(-1)?.older));
    return this.#answers.flatMap((answer) => resultsOf(answer, code));
  }

  async cells({ reading }, code) {
    const key = `${reading} ${code}`;
    if (!this.#cells.has(key)) this.#cells.set(key, cellsOf(await this.server.cellsOf(reading, code, EARLIER), code));
    return this.#cells.get(key);
  }
}
