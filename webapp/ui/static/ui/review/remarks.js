// What was remarked in the reading, and remarking: it knows no document.

export class Remarks {
  list = null; // as the server last said; null until it was asked
  problem = "";

  // `terms`: [{subject, name, terms: [{code, name, grades}]}] in their order; `server` asks; `show` draws.
  constructor({ terms, server, show }) {
    Object.assign(this, { terms, server, show });
  }

  // What stands of a term, or nothing.
  of(subject, term) {
    return this.list?.find((one) => one.subject === subject && one.term === term);
  }

  load() {
    return this.#ask(() => this.server.remarks());
  }

  // Remarks a grade, or that the term is there (""); the same again takes it back.
  choose(subject, term, grade) {
    const isSame = this.of(subject, term)?.grade === grade;
    const body = isSame ? { subject, term, is_taken_back: true } : { subject, term, grade };
    return this.#ask(() => this.server.remark(body));
  }

  // Free words on a subject; none take back what was written.
  write(subject, text) {
    const words = text.trim();
    const stands = this.of(subject, "words");
    if (words === (stands?.words ?? "")) return Promise.resolve();
    const body = words ? { subject, term: "words", words } : { subject, term: "words", is_taken_back: true };
    return this.#ask(() => this.server.remark(body));
  }

  async #ask(how) {
    try {
      this.list = await how();
      this.problem = "";
    } catch (error) {
      this.problem = error.message;
    }
    this.show();
  }
}
