"""Reference ranges as a table of text: what a lab takes out and brings in, and the set that we propose."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import StringIO

from defusedcsv import csv
from django.utils import translation
from django.utils.translation import gettext as _

from webapp.ranges.models import ReferenceRange
from webapp.ranges.values import FIELDS, LIMITS, InvalidValues, Values, read

COLUMNS = ("class", *FIELDS[1:])
LARGEST_FILE = 256 * 1024
MOST_ROWS = 1000


@dataclass(frozen=True)
class LineError:
    """What is wrong with a line; `column` is empty where it is the line as a whole."""

    line: int
    column: str
    message: str


class InvalidTable(ValueError):
    """Nothing of it was taken."""

    def __init__(self, errors: Iterable[LineError]) -> None:
        self.errors = tuple(errors)
        super().__init__(self.errors)


def parse(text: str) -> list[Values]:
    """The rows of a CSV file: with commas or, as spreadsheets write where the comma is the decimal sign, with
    semicolons. Lines that begin with # say nothing.

    Raises:
        InvalidTable: it names every line that is wrong.
    """
    lines = [(number, line) for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1)]
    said = [(number, line) for number, line in lines if line.strip() and not line.startswith("#")]
    if not said:
        raise InvalidTable([LineError(1, "", _("The file has no rows."))])
    number, heading = said[0]
    delimiter = max(",;\t", key=heading.count)
    columns = [name.strip().strip('"').lower() for name in heading.split(delimiter)]
    if missing := [name for name in ("class", "quantity", "low", "high", "source") if name not in columns]:
        message = _("The first line names the columns. There is none for: %(names)s.")
        raise InvalidTable([LineError(number, "", message % {"names": ", ".join(missing)})])
    if unknown := [name for name in columns if name not in COLUMNS]:
        message = _("There is no such column: %(names)s.") % {"names": ", ".join(unknown)[:200]}
        raise InvalidTable([LineError(number, "", message)])
    if len(said) - 1 > MOST_ROWS:
        raise InvalidTable([LineError(number, "", _("At most %(n)s rows.") % {"n": MOST_ROWS})])
    found, errors = [], list[LineError]()
    for number, line in said[1:]:
        fields: list[str] = next(csv.reader([line], delimiter=delimiter), [])
        if len(fields) != len(columns):
            message = _("%(n)s columns where the first line has %(columns)s.")
            errors.append(LineError(number, "", message % {"n": len(fields), "columns": len(columns)}))
            continue
        given = dict(zip(columns, fields, strict=True))
        try:
            found.append(read({**given, "cell_class": given["class"].strip()}))
        except InvalidValues as error:
            errors += [
                LineError(number, "class" if name == "cell_class" else name, message)
                for name, message in error.errors.items()
            ]
    if errors:
        raise InvalidTable(errors)
    if not found:
        raise InvalidTable([LineError(number, "", _("The file has no rows."))])
    return found


def lines(rows: Iterable[Values]) -> Iterator[str]:
    """As `parse` reads it in any language."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        plain = {name: getattr(row, name) for name in FIELDS}
        for name in LIMITS:
            if plain[name] is not None:
                plain[name] = f"{plain[name].normalize():f}"
        writer.writerow(["" if plain[name] is None else plain[name] for name in FIELDS])
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def as_download(rows: Iterable[ReferenceRange]) -> Iterator[str]:
    """What `lines` says of rows, by class and age."""
    in_order = sorted(rows, key=lambda row: (row.cell_class, row.quantity, row.age_from_days, row.sex))
    return lines(map(Values.of, in_order))


@cache
def shipped() -> tuple[Values, ...]:
    """The set that comes with the product; `defaults.csv` says where it is from and what it leaves out."""
    with translation.override(None):
        return tuple(parse((files("webapp.ranges") / "defaults.csv").read_text(encoding="utf-8")))
