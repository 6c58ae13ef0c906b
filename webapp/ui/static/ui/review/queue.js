// Gestures on their way to the server: one at a time, in their order, each until it is answered. They are kept for this
// tab, so a reload or a crash sends what was not answered; the server knows a gesture by its id and does it once.

import { Final, reason } from "../upload/retry.js";
import { WAITS } from "./limits.js";

export class Queue {
  waiting = [];
  trouble = ""; // why the first gesture could not be sent
  #running = false;
  #tries = 0;
  #wake = null;

  // `send` sends a gesture and gives the answer. `keep` keeps what is waiting. `answered` and `failed` hear what became
  // of a gesture, `show` that something changed.
  constructor({ send, keep, answered, failed, show, waiting = [] }) {
    Object.assign(this, { send, keep, answered, failed, show, waiting });
  }

  get unsaved() {
    return this.waiting.length;
  }

  add(gestures) {
    this.waiting.push(...gestures);
    this.#changed();
    return this.run();
  }

  // The line may be there again: do not wait any longer.
  wake() {
    this.#tries = 0;
    this.#wake?.();
  }

  async run() {
    if (this.#running) return;
    this.#running = true;
    while (this.waiting.length) await this.#sendFirst();
    this.#running = false;
  }

  async #sendFirst() {
    const [gesture] = this.waiting;
    try {
      const answer = await this.send(gesture);
      this.#gone();
      this.answered(gesture, answer);
    } catch (error) {
      if (error instanceof Final) {
        this.#gone();
        this.failed(gesture, error);
      } else {
        this.trouble = reason(error);
        this.show();
        await this.#pause();
      }
    }
    this.show();
  }

  #gone() {
    this.waiting.shift();
    this.trouble = "";
    this.#tries = 0;
    this.#changed();
  }

  #pause() {
    const ms = WAITS[Math.min(this.#tries, WAITS.length - 1)] * (0.5 + Math.random() / 2);
    this.#tries += 1;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #changed() {
    this.keep(this.waiting);
    this.show();
  }
}
