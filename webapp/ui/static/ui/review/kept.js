// What of a review is kept in the browser: for this tab what is not saved yet and can be undone, for this browser what the
// person likes.

// A gesture as it is kept until it is answered: without a person's own words, which may say something of a patient and
// would lie in the browser after signing out. Sent again it is the same gesture.
export function withoutWords(gesture) {
  if (!gesture.decisions) return gesture;
  return { ...gesture, decisions: gesture.decisions.map(({ cell, class: code }) => ({ cell, class: code })) };
}
