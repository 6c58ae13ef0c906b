// What is kept in the browser: for this tab what is not saved yet and can be undone, for this browser what the person
// likes. A browser that keeps nothing costs only that.

// A gesture as it is kept until it is answered: without a person's own words, which may say something of a patient and
// would lie in the browser after signing out. Sent again it is the same gesture.
export function withoutWords(gesture) {
  if (!gesture.decisions) return gesture;
  return { ...gesture, decisions: gesture.decisions.map(({ cell, class: code }) => ({ cell, class: code })) };
}

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
