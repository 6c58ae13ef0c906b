// How an upload goes, in numbers and words.

import { number, percent, say } from "../language.js";
import { GUESSED_AFTER, LISTED } from "./limits.js";

// `done` files took `seconds`; how many minutes will those take that are `left`? Undefined where nobody knows.
export function minutesLeft({ seconds, done, left }) {
  if (seconds < GUESSED_AFTER || !done) return undefined;
  const rest = (seconds / done) * left;
  return rest < 60 ? 0 : Math.round(rest / 60);
}

function uploading(done, total, minutes) {
  const values = { done: number(done), total: number(total), minutes: minutes && number(minutes) };
  if (minutes === undefined) {
    return say(ngettext("Uploading: %(done)s of %(total)s file", "Uploading: %(done)s of %(total)s files", total), values);
  }
  if (minutes === 0) {
    const soon = ngettext(
      "Uploading: %(done)s of %(total)s file, less than a minute left",
      "Uploading: %(done)s of %(total)s files, less than a minute left",
      total,
    );
    return say(soon, values);
  }
  const later = ngettext(
    "Uploading: %(done)s of %(total)s file, about %(minutes)s min left",
    "Uploading: %(done)s of %(total)s files, about %(minutes)s min left",
    total,
  );
  return say(later, values);
}

// What stands beside the bar; nothing where all is done.
export function said({ active, trouble, left, total, uploaded, arrived, began, doneBefore }, now) {
  const done = total - left;
  if (active) {
    return uploading(done, total, minutesLeft({ seconds: (now - began) / 1000, done: done - doneBefore, left }));
  }
  if (trouble) {
    const n = arrived.length;
    const held = ngettext(
      "%(files)s file uploaded but not handed over. %(trouble)s",
      "%(files)s files uploaded but not handed over. %(trouble)s",
      n,
    );
    return say(held, { files: number(n), trouble });
  }
  if (!left) return "";
  const stopped = ngettext(
    "Stopped: %(uploaded)s of %(total)s file uploaded.",
    "Stopped: %(uploaded)s of %(total)s files uploaded.",
    total,
  );
  return say(stopped, { uploaded: number(uploaded), total: number(total) });
}

// What a screen reader says: every tenth meanwhile, and how it ended.
export function announced({ active, left, total, uploaded }, told) {
  if (active) {
    const share = percent(Math.floor((10 * (total - left)) / total) * 10);
    return say(gettext("%(share)s of files uploaded"), { share });
  }
  if (told) return told;
  return say(ngettext("%(files)s file uploaded.", "%(files)s files uploaded.", uploaded), { files: number(uploaded) });
}

export function failures(n) {
  const text = ngettext("%(files)s file could not be uploaded.", "%(files)s files could not be uploaded.", n);
  return say(text, { files: number(n) });
}

export function notSent(leftOut, known) {
  const n = leftOut + known;
  const values = { files: number(n), leftOut: number(leftOut), known: number(known) };
  if (!known) {
    const text = ngettext("%(files)s file not sent: %(leftOut)s left out.", "%(files)s files not sent: %(leftOut)s left out.", n);
    return say(text, values);
  }
  if (!leftOut) {
    const text = ngettext(
      "%(files)s file not sent: %(known)s known already.",
      "%(files)s files not sent: %(known)s known already.",
      n,
    );
    return say(text, values);
  }
  const text = ngettext(
    "%(files)s file not sent: %(leftOut)s left out, %(known)s known already.",
    "%(files)s files not sent: %(leftOut)s left out, %(known)s known already.",
    n,
  );
  return say(text, values);
}

export const more = (n) => (n > LISTED ? say(gettext("The first %(n)s are shown."), { n: number(LISTED) }) : "");
