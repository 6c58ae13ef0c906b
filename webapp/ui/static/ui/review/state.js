// What views share: the page's parts, and the signals that draw it anew.

import { h } from "../vendor/preact-11.2.0.min.js";
import { signal } from "../vendor/preact-signals-2.11.4.min.js";
import htm from "../vendor/htm-3.1.1.min.js";
import { keyName } from "../keys.js";

export const html = htm.bind(h);

export const tick = signal(0); // cells, gestures or pictures changed
export const seen = signal({ top: 0, height: 0, width: 0 }); // what of the gallery is to be seen
export const size = signal("medium");
export const dialog = signal(null); // {name, …} of what is open
export const filter = signal({}); // the query by which cells are filtered
export const filtering = signal(false); // whether the filter's fields are shown
export const said = signal(""); // what the last gesture did
export const more = signal(false); // whether cells came in that are not shown
export const panelOpen = signal(false); // the differential, on narrow screens
export const trouble = signal(""); // why nothing is heard from the server

// Where the differential lies over the cells when it is open, as in review.css.
const narrow = globalThis.matchMedia?.("(max-width: 1000px)");
export const isNarrow = () => Boolean(narrow?.matches);
export const isCovered = () => panelOpen.value && isNarrow();

// Whether there is room for all columns of the differential.
const room = globalThis.matchMedia?.("(min-width: 1321px)");
export const isWide = signal(room?.matches ?? true);
room?.addEventListener("change", () => (isWide.value = room.matches));

export const redraw = () => (tick.value += 1);

// A title that names the key of a command.
export const withKey = (text, key) => (key ? `${text} (${keyName(key)})` : text);
