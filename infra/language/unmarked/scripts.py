"""Prose literals of scripts that are not marked."""

import re
from collections.abc import Iterator

from babel.messages.jslexer import Token, tokenize

from infra.language.unmarked.findings import Finding, exempt_lines, has_words, is_prose

MARKERS = frozenset({"gettext", "gettext_noop", "ngettext", "npgettext", "pgettext"})
# What is no text: selectors, and what developers read in the console.
ENGLISH_CALLS = frozenset(
    {"closest", "debug", "error", "getAttribute", "info", "log", "matches", "querySelector", "querySelectorAll"}
    | {"RangeError", "RegExp", "TypeError", "setAttribute", "warn"}
)
SHOWN = frozenset({"ariaLabel", "innerText", "placeholder", "textContent", "title"})
"""Properties that people read: one word there is a text."""

_VALUE = re.compile(r"\$\{[^}]*\}")


def check(path: str, source: str) -> Iterator[Finding]:
    exempt = exempt_lines(source)
    for token, calls, shown in _strings(source):
        text = _VALUE.sub("…", token.value[1:-1])
        if not (is_prose(text) or (shown and has_words(text))) or token.lineno in exempt:
            continue
        if any(call in ENGLISH_CALLS for call in calls):
            continue
        if not any(call in MARKERS for call in calls):
            yield Finding(path, token.lineno, text)
        elif token.type == "template_string":
            yield Finding(path, token.lineno, text, "marked, but put together before it is looked up")


def _strings(source: str) -> Iterator[tuple[Token, list[str], bool]]:
    """Each literal, with the functions that it is handed to, and whether it is set as a text of the page."""
    calls: list[str] = []
    before, shown = "", False
    for token in tokenize(source, jsx=False, template_string=True):
        if token.type in ("linecomment", "multilinecomment"):
            continue
        if token.type in ("string", "template_string"):
            yield token, calls, shown
        elif token.value == "(":
            calls.append(before)
        elif token.value == ")" and calls:
            calls.pop()
        elif token.value == ";":
            shown = False
        elif token.value == "=" and before in SHOWN:
            shown = True
        before = token.value
