"""A language in which every message stands in ⟦brackets⟧: what stands outside was never marked."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.utils.translation import trans_real

from infra.language.unmarked.findings import has_words
from infra.language.unmarked.templates import SHOWN

CONTEXT = "\x04"
_MESSAGE = re.compile(r"⟦[^⟦⟧]*⟧")


class _Bracketed(trans_real.DjangoTranslation):
    def gettext(self, message: str) -> str:
        return f"⟦{message.rpartition(CONTEXT)[2]}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@pytest.fixture
def bracketed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """English is that language."""
    language = _Bracketed("en")
    monkeypatch.setitem(vars(trans_real)["_translations"], "en", language)
    monkeypatch.setattr(trans_real, "_default", language)
    trans_real.activate("en")
    yield
    trans_real.deactivate()


def outside(text: str, data: re.Pattern[str]) -> list[str]:
    """Lines with words that are neither a message nor data."""
    while (kept := _MESSAGE.sub("", text)) != text:
        text = kept
    return [line.strip() for line in data.sub("·", text).splitlines() if has_words(line)]


def outside_of_page(page: str, data: re.Pattern[str]) -> list[str]:
    reader = _Reader(data)
    reader.feed(page)
    reader.close()
    return [*outside("".join(reader.text), data), *reader.attributes]


class _Reader(HTMLParser):
    """Text and attributes that people read or hear. A message may have tags inside."""

    SILENT = frozenset({"code", "kbd", "pre", "script", "style"})
    MENUS_OF_DATA = frozenset({"language", "time_zone"})

    def __init__(self, data: re.Pattern[str]) -> None:
        super().__init__()
        self.text: list[str] = []
        self.attributes: list[str] = []
        self._data = data
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        menu = tag == "select" and given.get("name") in self.MENUS_OF_DATA
        if tag in self.SILENT or menu or given.get("translate") == "no":
            self._silent.append(tag)
        inside = "".join(self.text)
        if not self._silent and inside.count("⟦") == inside.count("⟧"):
            for name in SHOWN & given.keys():
                for said in outside(given[name] or "", self._data):
                    self.attributes.append(f"{name}={said}")
        self.text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()
        self.text.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text.append(data)
