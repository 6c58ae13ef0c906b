// Numbers and counts as the page of a review says them.

import { number, percent as percentOf, say } from "../language.js";

const tenths = new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const tenth = (n) => tenths.format(n);

const hundredths = new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export const hundredth = (n) => hundredths.format(n);

// A probability, as the product's pages say it: none is certain.
export function percent(share) {
  const n = Math.round(100 * share);
  if (n >= 100) return `> ${percentOf(99)}`;
  return n < 1 ? `< ${percentOf(1)}` : percentOf(n);
}

// A sentence about n of something.
export const counted = (sentence, n, values) => say(sentence, { ...values, n: number(n) });
