// What scripts say, in the language of the page. `gettext`, `ngettext` and `interpolate` are Django's: the page loads its
// catalogue before any script of ours.

export const say = (text, values) => interpolate(text, values, true);
let numbers = null; // kept: to make it takes longer than what it does
let spoken = null;
export function number(n) {
  const { lang } = document.documentElement;
  if (lang !== spoken) [numbers, spoken] = [new Intl.NumberFormat(lang), lang];
  return numbers.format(n);
}
export const percent = (n) => say(gettext("%(number)s %"), { number: number(n) });
