"""Text of templates that stands outside Django's translate tags."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from django.template.base import DebugLexer, TokenType

from infra.language.unmarked.findings import Finding, exempt_lines, has_words, is_prose

SHOWN = frozenset(
    {"alt", "aria-description", "aria-label", "aria-roledescription", "aria-valuetext", "data-label", "label"}
    | {"placeholder", "title"}
)
"""Attributes that people read or hear; `value` is one of buttons that are inputs."""

_BUTTONS = frozenset({"button", "reset", "submit"})
_VALUE = "\ufffc"  # stands for what a variable says
_TRANSLATE = re.compile(r"(?:blocktrans|blocktranslate)\b")
_MARKED = re.compile(r"(?:trans|translate|load|extends|url|static|now|comment|if|elif|for|regroup|get_)\b")
_QUOTED = re.compile(r"""(_\()?("[^"]*"|'[^']*')""")
_BEGINS_LARGE = re.compile(r"""["'][^\W\d_a-z]\w*[^\W\d_]""")
_SAYS = re.compile(r"""\|\s*(?:add|default|default_if_none|join|yesno):("[^"]*"|'[^']*')""")


def check(path: str, source: str) -> Iterator[Finding]:
    exempt = exempt_lines(source)
    reader = _Text(path.endswith(".txt"))
    found = list(_inside_tags(source))
    reader.feed(_shown(source))
    reader.close()
    for line, said, why in [*found, *reader.found]:
        if line not in exempt:
            yield Finding(path, line, said, why)


def _shown(source: str) -> str:
    """The template without its tags and what they translate, each line where it was."""
    parts, until = [], ""
    for token in DebugLexer(source).tokenize():
        start, end = token.position or (0, 0)
        kept = ""
        if until:
            if token.token_type == TokenType.BLOCK and token.contents in until.split():
                until = ""
        elif token.token_type == TokenType.TEXT:
            parts.append(source[start:end])
            continue
        elif token.token_type == TokenType.VAR:
            kept = _VALUE
        elif token.token_type == TokenType.BLOCK:
            if _TRANSLATE.match(token.contents):
                until, kept = "endblocktrans endblocktranslate", _VALUE
            elif token.contents.split()[0] == "comment":
                until = "endcomment"
            elif token.contents.split()[0] in ("trans", "translate"):
                kept = _VALUE
        parts.append(kept + "\n" * source.count("\n", start, end))
    return "".join(parts)


def _inside_tags(source: str) -> Iterator[tuple[int, str, str]]:
    """What tags and filters are given to say."""
    for token in DebugLexer(source).tokenize():
        if token.token_type not in (TokenType.BLOCK, TokenType.VAR):
            continue
        contents, line = token.contents, token.lineno or 1
        if re.search(r"\|\s*pluralize\b", contents):
            yield line, contents, "a plural that is not whole"
        for found in _SAYS.finditer(contents):
            if has_words(found[1]):
                yield line, found[1], "unmarked"
        if token.token_type == TokenType.VAR:
            said = _QUOTED.match(contents)
            if said and not said[1] and has_words(said[2]):
                yield line, said[2], "unmarked"
            continue
        if _MARKED.match(contents) or _TRANSLATE.match(contents):
            continue
        for found in _QUOTED.finditer(contents):
            # A word that begins small is a name of ours: `tab="settings"`.
            if not found[1] and (is_prose(found[2]) or _BEGINS_LARGE.match(found[2])):
                yield line, found[2], "unmarked"


class _Text(HTMLParser):
    def __init__(self, plain: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[int, str, str]] = []
        self._silent = ""
        self._plain = plain

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self._silent = tag
        given = dict(attrs)
        shown = SHOWN | ({"value"} if tag == "input" and given.get("type") in _BUTTONS else set())
        if tag == "meta" and given.get("name") == "description":
            shown |= {"content"}
        for name, value in attrs:
            if name in shown and has_words(value or ""):
                self._note(f'{name}="{value}"')

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""

    def handle_data(self, data: str) -> None:
        if not self._silent and has_words(data):
            self._note(data)

    def _note(self, said: str) -> None:
        text = said.lstrip()
        line = self.getpos()[0] + said[: len(said) - len(text)].count("\n")
        self.found.append((line, text.replace(_VALUE, "…").strip(), "unmarked"))
