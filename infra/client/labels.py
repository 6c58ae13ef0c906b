"""Labels made elsewhere: a CSV of files, classes and words for *Other*, matched with the cells of a case;
problems by line."""

import csv
import io
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from unicodedata import category, normalize

from infra.client.errors import ClientError
from infra.language import _
from serving.contract import CELL_CLASSES

BATCH = 1000  # cells that the server takes at once
LARGEST = 64 * 1024 * 1024
OTHER = "other"
_SEPARATORS = "\t;,"
_HEADINGS = {"file", "filename", "image", "name"}
_WORDS = "words"
WORDS_LENGTH = 200  # characters that the server takes
_UNSEEN = {"Cc", "Cs", "Co", "Cn"}  # categories of characters that it does not take


@dataclass(frozen=True)
class Problem:
    """Why a line of the file is not, or cannot be, decided."""

    line: int
    reason: str


@dataclass(frozen=True, repr=False)
class Label:
    """A cell of the case, the code of the class that the file says of it, and words for what is *Other*.

    It has no `repr`, for the words may name somebody.
    """

    line: int
    cell: int
    code: str
    words: str = ""

    @property
    def decision(self) -> dict[str, Any]:
        """As the server takes it."""
        said = {"cell": self.cell, "class": self.code}
        return said | {"words": self.words} if self.words else said


@dataclass
class Labels:
    """What a file of labels comes to: every line of it is in one of the two."""

    found: list[Label] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def batches(labels: Sequence[Label]) -> Iterator[Sequence[Label]]:
    for start in range(0, len(labels), BATCH):
        yield labels[start : start + BATCH]


def read(path: Path) -> list[tuple[int, list[str]]]:
    """The lines of a CSV with their numbers, without a heading and without empty ones: file, class, words.

    Words are the third column, or that of this heading where there are headings.

    Raises:
        ClientError: it is no text that can be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ClientError(
            _("%(file)s cannot be read: %(reason)s.") % {"file": path, "reason": reason}
        ) from error
    if len(data) > LARGEST:
        raise ClientError(_("%(file)s is too large to be a list of labels.") % {"file": path})
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ClientError(_("%(file)s is not text in UTF-8.") % {"file": path}) from error
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    try:
        lines = [(reader.line_num, [value.strip() for value in row]) for row in reader]
    except csv.Error as error:
        raise ClientError(
            _("%(file)s is no CSV: %(reason)s, line %(line)d.")
            % {"file": path, "reason": error, "line": reader.line_num}
        ) from error
    rows = [(line, row) for line, row in lines if any(row)]
    if not rows or rows[0][1][0].lower() not in _HEADINGS:
        return [(line, row[:3]) for line, row in rows]
    headings = [heading.lower() for heading in rows[0][1]]
    if _WORDS not in headings[2:]:
        return [(line, row[:2]) for line, row in rows[1:]]
    place = headings.index(_WORDS, 2)
    return [(line, [*row[:2], *row[place : place + 1]]) for line, row in rows[1:]]


def _separator(text: str) -> str:
    """What parts the first line that is not empty into most fields; a comma may be part of a name."""
    first = next((line for line in io.StringIO(text, newline=None) if line.strip()), "")
    with suppress(csv.Error):
        return max(_SEPARATORS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
    return ","


def match(
    rows: Iterable[tuple[int, Sequence[str]]],
    images: Iterable[Mapping[str, Any]],
    used: Iterable[Mapping[str, Any]],
) -> Labels:
    """Find the cell and the class of each line.

    Args:
        images: the case's, as the API lists them.
        used: the classes that the lab uses, as the API lists them.
    """
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for image in images:
        by_name.setdefault(_composed(image["name"]), []).append(image)
    used = list(used)
    codes = _codes(used)
    labels, lines = Labels(), dict[int, int]()
    for line, row in rows:
        try:
            cell, code = _matched(row, by_name, codes, {one["code"] for one in used})
            words = _words(row, code)
            if cell in lines:
                raise _Unmatched(
                    _("The file is named twice: line %(line)d has it already.") % {"line": lines[cell]}
                )
        except _Unmatched as problem:
            labels.problems.append(Problem(line, str(problem)))
        else:
            lines[cell] = line
            labels.found.append(Label(line, cell, code, words))
    return labels


class _Unmatched(Exception):
    """A line is of no cell or of no class; the message says why."""


def _matched(
    row: Sequence[str],
    by_name: Mapping[str, Sequence[Mapping[str, Any]]],
    codes: Mapping[str, str],
    used: set[str],
) -> tuple[int, str]:
    if len(row) < 2 or not row[0] or not row[1]:
        raise _Unmatched(_("The line has no file or no class."))
    name = PurePosixPath(row[0].replace("\\", "/")).name
    found = by_name.get(_composed(name), ())
    shown = {"file": name}
    if not found:
        raise _Unmatched(_("The case has no file “%(file)s”.") % shown)
    if len(found) > 1:
        raise _Unmatched(_("The case has several files “%(file)s”.") % shown)
    cells = found[0]["cell_ids"]
    if not cells:
        raise _Unmatched(_("“%(file)s” has no cell: it is not classified.") % shown)
    if len(cells) > 1:
        raise _Unmatched(_("“%(file)s” shows several cells, and the line does not say which.") % shown)
    code = codes.get(row[1].casefold())
    if code is None:
        raise _Unmatched(_("There is no class “%(class)s”.") % {"class": row[1]})
    if code not in used:
        raise _Unmatched(_("The lab does not use the class “%(class)s”.") % {"class": row[1]})
    return int(cells[0]), code


def _words(row: Sequence[str], code: str) -> str:
    words = " ".join(row[2].split()) if len(row) > 2 else ""
    if words and code != OTHER:
        raise _Unmatched(_("The line has words, which only the class “other” takes."))
    if len(words) > WORDS_LENGTH:
        raise _Unmatched(_("The words are longer than %(n)d characters.") % {"n": WORDS_LENGTH})
    if any(category(character) in _UNSEEN for character in words):
        raise _Unmatched(_("A character in the words cannot be seen."))
    return words


def _composed(name: str) -> str:
    """A name however its letters are written: some systems take accents apart, lists seldom do."""
    return normalize("NFC", name)


def _codes(used: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The code of each class by whatever it is called: code, name and short name in English or as the server
    says them."""
    named: list[tuple[str, tuple[str, ...]]]
    named = [(one.code, (one.code, one.name, one.short)) for one in CELL_CLASSES]
    named += [(one["code"], (one["name"], one["short"])) for one in used]
    return {name.casefold(): code for code, names in named for name in names if name != "–"}


def otherwise(
    labels: Iterable[Label], decided: Mapping[int, tuple[str, str]], names: Mapping[str, str]
) -> list[Problem]:
    """The lines whose cells were decided otherwise: these stay as they are.

    Args:
        decided: of each cell that was decided, the class and who decided it.
        names: of classes, by code.
    """
    found = []
    for label in labels:
        code, person = decided.get(label.cell, (label.code, ""))
        if code != label.code:
            found.append(decided_by_another(label, names.get(code, code), person))
    return found


def gestures(labels: Iterable[Label], revision: int) -> Iterator[tuple[Sequence[Label], dict[str, Any]]]:
    """What the server is sent, in batches as large as it takes.

    What anybody decided since `revision` stays as it is, and comes back.
    """
    client = str(uuid.uuid4())
    for batch in batches(list(labels)):
        yield (
            batch,
            {
                "gesture": str(uuid.uuid4()),
                "client": client,
                "base_revision": revision,
                "decisions": [label.decision for label in batch],
            },
        )


def not_decided(batch: Sequence[Label], answer: Mapping[str, Any], names: Mapping[str, str]) -> list[Problem]:
    """The lines whose cells somebody else decided otherwise.

    Args:
        names: of classes, by code.
    """
    by_cell = {label.cell: label for label in batch}
    return [
        decided_by_another(
            by_cell[one["cell"]], names.get(one["class"], ""), answer["people"].get(str(one["by"]), "")
        )
        for one in answer["conflicts"]
        if one["class"] != by_cell[one["cell"]].code
    ]


def decided_by_another(label: Label, name: str, person: str) -> Problem:
    if not name:
        return Problem(
            label.line,
            _("It stays as it is: %(person)s took back what was decided.") % {"person": person},
        )
    return Problem(
        label.line,
        _("It stays as it is: %(person)s decided that it is “%(class)s”.")
        % {"person": person, "class": name},
    )
