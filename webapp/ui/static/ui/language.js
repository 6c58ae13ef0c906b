// What scripts say, in the language of the page. `gettext`, `ngettext` and `interpolate` are Django's: the page loads its
// catalogue before any script of ours.

export const say = (text, values) => interpolate(text, values, true);
export const number = (n) => n.toLocaleString(document.documentElement.lang);
export const percent = (n) => say(gettext("%(number)s %"), { number: number(n) });
