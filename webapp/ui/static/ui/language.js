// What scripts say, in the language of the page. `gettext`, `ngettext` and `interpolate` are Django's: the page loads its
// catalogue before any script of ours.

export const say = (text, values) => interpolate(text, values, true);
const numbers = new Intl.NumberFormat(document.documentElement.lang); // made once: that takes longer than what it does
export const number = (n) => numbers.format(n);
export const percent = (n) => say(gettext("%(number)s %"), { number: number(n) });
