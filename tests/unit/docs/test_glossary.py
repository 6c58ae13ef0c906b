"""The glossary has each word once, and a line for each that another line leans on."""

import re
from collections import Counter

from tests.support.documents import ROOT

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
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
