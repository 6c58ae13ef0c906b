// What is kept in the browser: for this tab what is not saved yet and can be undone, for this browser what the person
// likes. A browser that keeps nothing costs only that.

export class Kept {
  #write;

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
