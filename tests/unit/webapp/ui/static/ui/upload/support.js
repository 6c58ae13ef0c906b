// Time that does not pass.

// Whatever waits goes on at once; gives the list of how long each would have waited.
export function atOnce(t) {
  const waits = [];
  t.mock.method(globalThis, "setTimeout", (then, ms) => {
    waits.push(ms);
    queueMicrotask(then);
  });
  return waits;
}
