// Speaks with the product's API and with the object store.

import { say } from "../language.js";
import { Final, mayPass } from "./retry.js";

// `addresses` holds begin, renew and complete, and the form's token; `page` the lab that the page is of.
export class Server {
  constructor(addresses, page) {
    this.addresses = addresses;
    this.page = page;
  }

  // A link for each file, or why it needs none; `slide` is the id of that which they are of, or null.
  async begin(files, slide) {
    return (await this.post(this.addresses.begin, { files, slide })).uploads;
  }

  // The same file's link anew; nothing where it is no longer wanted.
  async renew(id) {
    return (await this.post(this.addresses.renew, { ids: [id] })).uploads[0];
  }

  async complete(ids) {
    await this.post(this.addresses.complete, { ids });
  }

  async post(url, body) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": this.addresses.token, "X-Lab": this.page.lab };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    const answer = await response.json().catch(() => null);
    if (response.ok) return answer;
    const message = answer?.error?.message ?? say(gettext("The server answered %(status)s."), response);
    throw mayPass(response.status) ? new Error(message) : new Final(message);
  }

  // Sends an item's bytes to the store. It forbids what comes late; a link that is new cannot have expired.
  async store({ url, fields, file, isRenewed }, signal) {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", file);
    const response = await fetch(url, { method: "POST", body: form, signal });
    if (response.ok) return;
    const message = say(gettext("The image store answered %(status)s."), response);
    const mayHaveExpired = response.status === 403 && !isRenewed;
    throw mayPass(response.status) || mayHaveExpired ? new Error(message) : new Final(message);
  }
}
