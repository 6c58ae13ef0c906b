"""Prose literals of scripts that are not marked."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from infra.language.unmarked.findings import GLUED, Finding, exempt_lines, has_words, is_prose
from infra.language.unmarked.templates import SHOWN as SHOWN_ATTRIBUTES

MARKERS = frozenset({"gettext", "gettext_noop", "ngettext", "npgettext", "pgettext"})
# What is no text: selectors, names, and what developers read in the console.
ENGLISH_CALLS = frozenset(
    {
        "closest",
        "console.debug",
        "console.error",
        "console.info",
        "console.log",
        "console.warn",
        "getAttribute",
        "matches",
        "querySelector",
        "querySelectorAll",
    }
    | {"RangeError", "RegExp", "TypeError", "setAttribute"}
)
SHOWN = frozenset({"alt", "ariaLabel", "innerHTML", "innerText", "placeholder", "textContent", "title"})
"""Properties that people read: one word there is a text."""

_TOKENS = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<literal>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)
    |(?P<pattern>(?<=[(,=:!&|?{;])\s*/(?:[^/\\\n\[]|\\.|\[[^\]]*\])+/[a-z]*)
    |(?P<name>[\w$]+)
    |(?P<sign>[^\s\w])""",
    re.VERBOSE | re.DOTALL,
)
_VALUE = re.compile(r"\$\{((?:[^{}]|\{[^{}]*\})*)\}")


def check(path: str, source: str) -> Iterator[Finding]:
    exempt = exempt_lines(source)
    for place, literal, calls, shown in _literals(source):
        if literal.startswith("`"):
            for value in _VALUE.finditer(literal):
                for found in check(path, value[1]):
                    yield replace(found, line=found.line + source.count("\n", 0, place + value.start(1)))
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
    before: deque[str] = deque(["", "", ""], maxlen=3)
    shown = False
    for found in _TOKENS.finditer(source):
        if found["comment"] or found["pattern"]:
            continue
        sign, last = found[0], before[-1]
        if found["literal"]:
            yield found.start(), sign, list(calls), shown
        elif sign == "(":
            calls.append("".join(before) if before[0] == "console" else last)
        elif sign == ")" and calls:
            calls.pop()
        elif sign == "," and calls and calls[-1] == "setAttribute" and last[1:-1] in SHOWN_ATTRIBUTES:
            calls[-1], shown = "", True
        elif sign == ";":
            shown = False
        elif sign == "=" and last in SHOWN:
            shown = True
        before.append(sign)
