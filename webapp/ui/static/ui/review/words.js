// What the page says, in the reader's language where the catalogue of it is loaded.

const catalogue = globalThis;

export const gettext = catalogue.gettext ?? ((text) => text);
export const ngettext = catalogue.ngettext ?? ((one, many, n) => (n === 1 ? one : many));

// Puts values into the places `%(name)s` of a sentence.
export const interpolate = (sentence, values) => sentence.replace(/%\((\w+)\)s/g, (_, name) => String(values[name]));

const language = catalogue.document?.documentElement.lang || "en";
const whole = new Intl.NumberFormat(language);
const tenths = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const number = (n) => whole.format(n);
export const tenth = (n) => tenths.format(n);

// A probability, as the product's pages say it: none is certain.
export function percent(share) {
  const n = Math.round(100 * share);
  if (n >= 100) return "> 99 %";
  return n < 1 ? "< 1 %" : `${whole.format(n)} %`;
}

// A sentence about n of something.
export const counted = (sentence, n, values) => interpolate(sentence, { ...values, n: number(n) });
