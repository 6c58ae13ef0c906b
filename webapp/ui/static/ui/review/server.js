// Speaks with the API of readings.

import { Final, mayPass } from "../upload/retry.js";
import { say } from "../language.js";

export class Server {
  // `addresses`: of the reading (`reading`), the page's token (`token`); `client` tells this tab from others.
  constructor(addresses, { lab, client }) {
    Object.assign(this, { addresses, lab, client });
  }

  cells(query) {
    return this.#get(`cells/?${new URLSearchParams(query)}`);
  }

  // Signed results of the patient; `before` is where those begin that are older.
  earlier(before) {
    return this.#ask(this.addresses.history + (before ? `?${new URLSearchParams({ before })}` : ""), {});
  }

  // Cells of another case's reading.
  cellsOf(reading, code, limit) {
    const address = this.addresses.reading.replace(/\d+\/$/, `${reading}/`);
    return this.#ask(`${address}cells/?${new URLSearchParams({ class: code, limit })}`, {});
  }

  similar(cell, limit) {
    return this.#get(`cells/${cell}/similar/?limit=${limit}`);
  }

  // What is newer than a revision, and than what is suggested; null where nothing is.
  changes(since, suggestions) {
    return this.#get(`changes/?since=${since}&suggestions=${suggestions}`);
  }

  // What was last decided of a cell, with the person's words. That they are read is recorded.
  said(cell) {
    return this.#get(`cells/${cell}/`);
  }

  decide({ id, base, undo, confirm, seen, decisions }) {
    const body = { gesture: id, client: this.client, base_revision: base };
    if (undo) body.undo = undo;
    else if (confirm) Object.assign(body, { confirm, seen });
    else body.decisions = decisions;
    return this.#post("decisions/", body);
  }

  remarks() {
    return this.#get("remarks/");
  }

  // Gives all that stands afterwards.
  remark(body) {
    return this.#post("remarks/", body);
  }

  // Says that the reading is done.
  finish() {
    return this.#post("finish/", {});
  }

  #post(path, body) {
    return this.#ask(this.addresses.reading + path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-CSRFToken": this.addresses.token },
    });
  }

  #get(path) {
    return this.#ask(this.addresses.reading + path, {});
  }

  async #ask(address, { headers, ...how }) {
    const response = await fetch(address, { ...how, headers: { ...headers, "X-Lab": this.lab } });
    if (response.status === 204) return null;
    const answer = await response.json().catch(() => null);
    if (response.ok && answer) return answer;
    // Signed out, or signed in anew, or with another role: that may pass, so what is unsaved is kept.
    if (response.status === 401 || response.status === 403) {
      throw new Error(gettext("You are not signed in as you were. Sign in in another tab, then load this page again."));
    }
    const message =
      answer?.error?.message ?? say(gettext("The server answered %(status)s."), { status: response.status });
    throw mayPass(response.status) || response.ok ? new Error(message) : new Final(message);
  }
}
