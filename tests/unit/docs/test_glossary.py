"""The glossary has each word once, and a line for each that another line leans on."""

import re
import shlex
from collections import Counter
from fnmatch import fnmatch

import pytest

from tests.support.documents import ROOT

GLOSSARY, QUESTIONS = (ROOT / "docs" / "glossary.md").read_text().split("## A newcomer asks")
WORDS = [
    word.strip().lower()
    for words in re.findall(r"^\| ([^|]+) \|", GLOSSARY, re.MULTILINE)
    for word in words.split(",")
    if words not in ("word", "---")
]


def test_each_word_has_one_line() -> None:
    assert len(WORDS) > 80
    assert [word for word, lines in Counter(WORDS).items() if lines > 1] == []


def test_words_that_lines_lean_on_have_a_line() -> None:
    named = {word.lower() for word in re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", GLOSSARY)} - {"italic"}
    assert {word for word in named if not {word, word.removesuffix("s")} & set(WORDS)} == set()


ROWS = re.findall(r"^\| ([^|]+) \| `(git (?:[^`])+)`[^|]*\| (.+) \|$", QUESTIONS, re.MULTILINE)


def test_a_newcomer_asks_of_most_things() -> None:
    assert len(ROWS) == len(re.findall(r"^\| .* \|$", QUESTIONS, re.MULTILINE)) - 2
    assert len(ROWS) > 15


@pytest.mark.parametrize(("command", "places"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_finds_it_finds_it(command: str, places: str) -> None:
    _, verb, *arguments = shlex.split(command.replace("\\|", "|"))
    sought = [argument for argument in arguments if not argument.startswith("-")]
    first, *others = [ROOT / place for place in re.findall(r"`([^`]+)`", places)]
    assert all(place.exists() for place in (first, *others))
    files = [path for path in (first, *first.rglob("*")) if path.is_file()]
    if verb == "ls-files":
        assert any(fnmatch(str(path), pattern) for path in files for pattern in sought)
    else:
        pattern = sought[0] if "-nE" in arguments or "-niE" in arguments else re.escape(sought[0])
        texts = [path.read_text() for path in files if path.suffix in {".py", ".html", ".yml"}]
        assert any(re.search(pattern, text, re.IGNORECASE if "-niE" in arguments else 0) for text in texts)
