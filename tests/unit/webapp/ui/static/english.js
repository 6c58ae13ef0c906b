// The page in English: no catalogue, and the functions that Django's script would give.

Object.assign(globalThis, {
  document: { documentElement: { lang: "en" } },
  gettext: (text) => text,
  ngettext: (one, many, n) => (n === 1 ? one : many),
  interpolate: (text, values) => text.replace(/%\(\w+\)s/g, (place) => String(values[place.slice(2, -2)])),
});
