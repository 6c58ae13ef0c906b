"""What is found, and what counts as words that people read."""

import re
from dataclasses import dataclass

EXEMPT = re.compile(r"(?:#|//|/\*|\{#)\s*untranslated: \S")
"""The comment by which one place is left as it is: `# untranslated: why`."""

GLUED = "marked, but put together before it is looked up"

_WORDS = re.compile(r"[^\W\d_]+[’',;:.…)”]*\s+[“(]*[^\W\d_]+")
# A word beside a value; a small one before it names what it is the id of, as records have it: `case 7`.
_VALUE = r"(?:…|%s|%d|\{\w*\})"
_WORD_BESIDE_VALUE = re.compile(
    rf"{_VALUE}[’',;:.)”]*\s+[“(]*([^\W\d_]{{2,}})\b(?!=)|([^\W\d_a-z][^\W\d_]+)[’',;:.)”]*\s+[“(]*{_VALUE}"
)
_LETTERS = re.compile(r"[^\W\d_]+")

# Names and units that are the same in any language.
_SAME_EVERYWHERE = frozenset(
    {"HematoVision", "px", "µm", "kB", "MB", "GB", "UTC", "API", "JSON", "CSV", "Bearer"}
)


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    said: str
    why: str = "unmarked"

    def __str__(self) -> str:
        said = " ".join(self.said.split())
        return f"{self.path}:{self.line}: {self.why}: {said if len(said) <= 90 else said[:89] + '…'}"


def is_prose(text: str) -> bool:
    """Two words or more, or one beside a value."""
    return bool(_WORDS.search(text)) or any(
        has_words(found[0]) for found in _WORD_BESIDE_VALUE.finditer(text)
    )


def has_words(text: str) -> bool:
    """A word at all, but a name or a unit."""
    return any(word not in _SAME_EVERYWHERE for word in _LETTERS.findall(text))


def exempt_lines(source: str) -> frozenset[int]:
    """Lines with the comment, counted from 1."""
    return frozenset(n for n, line in enumerate(source.splitlines(), 1) if EXEMPT.search(line))
