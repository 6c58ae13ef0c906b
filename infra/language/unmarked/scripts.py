"""Prose literals of scripts that are not marked."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

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
        "matchMedia",
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
    |(?P<literal>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<pattern>(?<=[(,=:!&|?{;])\s*/(?:[^/\\\n\[]|\\.|\[[^\]]*\])+/[a-z]*)
    |(?P<name>[\w$]+)
    |(?P<sign>[^\s\w])""",
    re.VERBOSE | re.DOTALL,
)
MARKUP = "html"
"""The tag of template literals that are markup: there texts stand between tags and in some attributes."""
_NO_TEXT = re.compile(
    r"\b(?:class|d|id|style|viewBox)=\"?[^\s\">]*$"
)  # whatever comes next is in such an attribute
_TAG = re.compile(r"<[^<>]*>")
_ATTRIBUTE = re.compile(r"""([\w-]+)=(?:"([^"]*)"|'([^']*)')""")
_COMPONENTS = frozenset({"label"})  # attributes that our components show
_HOLE = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True)
class _Literal:
    """`values` are those that a template takes: place and source of each."""

    place: int
    text: str
    calls: tuple[str, ...] = ()
    shown: bool = False
    tag: str = ""
    values: tuple[tuple[int, str], ...] = ()


def check(path: str, source: str) -> Iterator[Finding]:
    exempt = exempt_lines(source)
    for literal in _literals(source):
        for place, value in literal.values:
            for found in check(path, value):
                yield replace(found, line=found.line + source.count("\n", 0, place))
        line = source.count("\n", 0, literal.place) + 1
        if line in exempt or any(call in ENGLISH_CALLS for call in literal.calls):
            continue
        if literal.tag == MARKUP:
            yield from (
                Finding(path, line, text) for text in _texts_of_markup(literal.text) if has_words(text)
            )
        elif is_prose(literal.text) or (literal.shown and has_words(literal.text)):
            if not any(call in MARKERS for call in literal.calls):
                yield Finding(path, line, literal.text)
            elif literal.values:
                yield Finding(path, line, literal.text, GLUED)


def _texts_of_markup(markup: str) -> Iterator[str]:
    shown = SHOWN_ATTRIBUTES | _COMPONENTS
    for tag in _TAG.findall(markup):
        yield from (one or other for name, one, other in _ATTRIBUTE.findall(tag) if name in shown)
    yield from (text.strip(f" \n{_HOLE}") for text in _TAG.split(markup))


def _literals(source: str) -> Iterator[_Literal]:
    """Each with the functions that it is handed to, and whether it is shown."""
    calls: list[str] = []
    before: deque[str] = deque(["", "", ""], maxlen=3)
    shown = False
    place = 0
    while place < len(source):
        if source[place] == "`":
            end, text, values = _template(source, place)
            yield _Literal(place, text, tuple(calls), shown, before[-1], tuple(values))
            before.append("`")
            place = end
            continue
        found = _TOKENS.match(source, place)
        place = found.end() if found else place + 1
        if not found or found["comment"] or found["pattern"]:
            continue
        sign, last = found[0], before[-1]
        if found["literal"]:
            yield _Literal(found.start(), sign[1:-1], tuple(calls), shown)
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


def _template(source: str, place: int) -> tuple[int, str, list[tuple[int, str]]]:
    """A template literal: where it ends, its text with a sign for each value, and the values that may say
    something."""
    text, values = "", []
    place += 1
    while place < len(source) and source[place] != "`":
        if source.startswith("${", place):
            end = _value_end(source, place + 2)
            if not _NO_TEXT.search(text):
                values.append((place + 2, source[place + 2 : end]))
            text += _HOLE
            place = end + 1
        else:
            step = 2 if source[place] == "\\" else 1
            text += source[place : place + step]
            place += step
    return place + 1, text, values


def _value_end(source: str, place: int) -> int:
    """Where the brace stands that closes a value."""
    open_ = 0
    while place < len(source):
        if source[place] == "`":
            place = _template(source, place)[0]
            continue
        found = _TOKENS.match(source, place)
        sign = found[0] if found else ""
        if sign == "}" and not open_:
            return place
        open_ += (sign == "{") - (sign == "}")
        place = found.end() if found else place + 1
    return place
