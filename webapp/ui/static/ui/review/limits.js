// How much at once, how often, how long.

export const BATCH = 1000; // cells of one gesture that the API takes
export const PAGE = 1000; // cells asked for at once, once the first are there
export const SIMILAR = 48;
export const EARLIER = 96; // cells of an earlier result, beside as many of this case
export const UNDO_KEPT = 500; // gestures that can be undone
export const CELLS_KEPT = 3000; // of these gestures, over a reload
export const POLL_EVERY = 1000; // ms, while the page is to be seen
export const NEW_CELLS_EVERY = 5000; // ms, while images are classified
export const WAITS = [1000, 2000, 4000, 8000, 15_000]; // ms before a gesture is sent again; the last one from then on
export const SIZES = { small: 68, medium: 92, large: 148 }; // sides of a cell on the screen, in pixels, about
