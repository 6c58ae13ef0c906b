// How an upload goes, in numbers and words.

import { GUESSED_AFTER, LISTED } from "./limits.js";

const number = (n) => n.toLocaleString("en");
const count = (n, thing) => `${number(n)} ${thing}${n === 1 ? "" : "s"}`;

// `done` files took `seconds`; how long will those take that are `left`?
export function timeLeft({ seconds, done, left }) {
  if (seconds < GUESSED_AFTER || !done) return "";
  const rest = (seconds / done) * left;
  return rest < 60 ? ", less than a minute left" : `, about ${Math.round(rest / 60)} min left`;
}

// What stands beside the bar; nothing where all is done.
export function said({ active, trouble, left, total, uploaded, arrived, began, doneBefore }, now) {
  const done = total - left;
  if (active) {
    const rest = timeLeft({ seconds: (now - began) / 1000, done: done - doneBefore, left });
    return `Uploading: ${number(done)} of ${count(total, "file")}${rest}`;
  }
  if (trouble) return `${count(arrived.length, "file")} uploaded but not handed over. ${trouble}`;
  return left ? `Stopped: ${number(uploaded)} of ${count(total, "file")} uploaded.` : "";
}

// What a screen reader says: every tenth meanwhile, and how it ended.
export function announced({ active, left, total, uploaded }, told) {
  if (active) return `${Math.floor((10 * (total - left)) / total) * 10} % of files uploaded`;
  return told || `${count(uploaded, "file")} uploaded.`;
}

export const failures = (n) => `${count(n, "file")} could not be uploaded.`;

export function notSent(leftOut, known) {
  const kinds = [[leftOut, "left out"], [known, "known already"]].filter(([n]) => n).map(([n, kind]) => `${number(n)} ${kind}`);
  return `${count(leftOut + known, "file")} not sent: ${kinds.join(", ")}.`;
}

export const more = (n) => (n > LISTED ? `The first ${LISTED} are shown.` : "");
