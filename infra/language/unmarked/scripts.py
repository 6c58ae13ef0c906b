"""Prose literals of scripts that are not marked."""

import re
from collections.abc import Iterator

from infra.language.unmarked.findings import GLUED, Finding, exempt_lines, has_words, is_prose

MARKERS = frozenset({"gettext", "gettext_noop", "ngettext", "npgettext", "pgettext"})
# What is no text: selectors, names, and what developers read in the console.
ENGLISH_CALLS = frozenset(
    {
        "closest",
        "debug",
        "error",
        "getAttribute",
        "info",
        "log",
        "matches",
        "querySelector",
        "querySelectorAll",
    }
    | {"RangeError", "RegExp", "TypeError", "setAttribute", "warn"}
)
SHOWN = frozenset({"ariaLabel", "innerText", "placeholder", "textContent", "title"})
"""Properties that people read: one word there is a text."""

_TOKENS = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<literal>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)
    |(?P<pattern>(?<=[(,=:!&|?{;])\s*/(?:[^/\\\n\[]|\\.|\[[^\]]*\])+/[a-z]*)
    |(?P<name>[\w$]+)
    |(?P<sign>[^\s\w])""",
    re.VERBOSE | re.DOTALL,
)
_VALUE = re.compile(r"\$\{[^}]*\}")


def check(path: str, source: str) -> Iterator[Finding]:
    exempt = exempt_lines(source)
    for place, literal, calls, shown in _literals(source):
        text, line = _VALUE.sub("…", literal[1:-1]), source.count("\n", 0, place) + 1
        if not (is_prose(text) or (shown and has_words(text))) or line in exempt:
            continue
        if any(call in ENGLISH_CALLS for call in calls):
            continue
        if not any(call in MARKERS for call in calls):
            yield Finding(path, line, text)
        elif literal.startswith("`"):
            yield Finding(path, line, text, GLUED)


def _literals(source: str) -> Iterator[tuple[int, str, list[str], bool]]:
    """Each with its place, the functions that it is handed to, and whether it is shown."""
    calls: list[str] = []
    before, shown = "", False
    for found in _TOKENS.finditer(source):
        if found["comment"] or found["pattern"]:
            continue
        sign = found[0]
        if found["literal"]:
            yield found.start(), sign, list(calls), shown
        elif sign == "(":
            calls.append(before)
        elif sign == ")" and calls:
            calls.pop()
        elif sign == ";":
            shown = False
        elif sign == "=" and before in SHOWN:
            shown = True
        before = sign
