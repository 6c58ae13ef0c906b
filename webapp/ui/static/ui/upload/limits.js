// How much at a time, how often, how long.

export const LINKS = 32; // files for which links are asked at a time: on a slow line more would expire before their turn
export const GROUP = 64; // files handed over together: the model's batch
export const POSTS = 6; // at the same time
export const WAITS = [500, 1000, 2000, 4000, 8000]; // ms before each retry
export const DIGESTED = 256 * 1024 * 1024; // bytes; a larger file is no picture that any server takes
export const HEAD = 16; // bytes that tell whether a file may be a picture
export const LISTED = 100; // files shown by name in each list; all are in the list that can be saved
export const SHOWN_EVERY = 250; // ms between two looks at the progress
export const GUESSED_AFTER = 5; // seconds before which nobody knows how long the rest takes
export const SAVED_WITHIN = 60_000; // ms for the browser to save a list
