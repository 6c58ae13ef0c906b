// What is kept in the browser, for a tab or for all. A browser that keeps nothing costs only that.

const LATER = 500; // ms

export class Kept {
  #write;
  #later = null;

  constructor(storage, name) {
    Object.assign(this, { storage, name });
  }

  read() {
    try {
      return JSON.parse(this.storage().getItem(this.name)) ?? {};
    } catch {
      return {};
    }
  }

  // The same, of what is much and changes often: once, a little later, or when the page is left (`flush`).
  later(values) {
    if (!this.#later) setTimeout(() => this.flush(), LATER);
    this.#later = values;
  }

  flush() {
    if (this.#later) this.write(this.#later());
    this.#later = null;
  }

  // Changes some of what is kept; whether it could be.
  write(values) {
    this.#write = { ...(this.#write ?? this.read()), ...values };
    try {
      this.storage().setItem(this.name, JSON.stringify(this.#write));
      return true;
    } catch {
      return false;
    }
  }
}
