"""A chain's entries as files, written while they are read."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from defusedcsv import csv
from django.db.models import TextChoices
from django.http import StreamingHttpResponse
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from webapp.audit import selectors
from webapp.audit.actions import Action
from webapp.audit.chain import COLUMNS, document
from webapp.audit.models import Entry
from webapp.audit.services import record

Rows = Iterable[Mapping[str, Any]]


class Format(TextChoices):
    CSV = "csv", _("CSV for spreadsheets")
    JSON_LINES = "jsonl", "JSON Lines"  # untranslated: a name


def csv_lines(rows: Rows, *, heading: bool = True) -> Iterator[str]:
    """What a spreadsheet would take for a formula is made text."""
    writer = csv.DictWriter(_Lines(), ["sentence", *COLUMNS, "hash"])
    if heading:
        yield writer.writeheader()
    for row in rows:
        columns = _columns(row)
        for name in ("before", "after"):
            columns[name] = "" if columns[name] is None else json.dumps(columns[name], ensure_ascii=False)
        yield writer.writerow(columns)


def json_lines(rows: Rows) -> Iterator[str]:
    """Anybody can check them: without `sentence` and `hash` a line is what is hashed (webapp.audit.chain)."""
    for row in rows:
        yield json.dumps(_columns(row), ensure_ascii=False) + "\n"


# untranslated: media types
_WRITERS: dict[Format, tuple[Callable[[Rows], Iterator[str]], str]] = {
    Format.CSV: (csv_lines, "text/csv; charset=utf-8"),
    Format.JSON_LINES: (json_lines, "application/jsonl; charset=utf-8"),
}


def export(chain: UUID, filters: selectors.Filters, form: Format) -> StreamingHttpResponse:
    """The entries as a download, oldest first; that it was asked for is its last entry."""
    asked = {name: str(value) for name, value in vars(filters).items() if value not in (None, "")}
    record(Action.AUDIT_EXPORTED, lab=chain, after={"format": form.value, **asked})
    write, content_type = _WRITERS[form]
    rows = selectors.in_order(selectors.entries(chain, filters))
    return StreamingHttpResponse(
        _in_the_language_of_now(write(rows)),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="audit.{form.value}"'},
    )


def _in_the_language_of_now(lines: Iterator[str]) -> Iterator[str]:
    """The lines in the language of who asked, which is forgotten by when they are written."""
    return _in(get_language(), lines)


def _in(language: str | None, lines: Iterator[str]) -> Iterator[str]:
    while True:
        with translation.override(language):
            line = next(lines, None)
        if line is None:
            return
        yield line


def _columns(row: Mapping[str, Any]) -> dict[str, Any]:
    entry = Entry(**row)
    return {"sentence": entry.sentence, **document(row), "hash": bytes(entry.hash).hex()}


class _Lines:
    """A file for the CSV writer, which then returns each line."""

    def write(self, line: str) -> str:
        return line
