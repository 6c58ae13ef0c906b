"""What may be asked of the worklist, as addresses, saved filters and the API say it."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from webapp.cases.models import FINISHED, Priority, Processing, Review

UNFINISHED, ANY = "unfinished", "any"
MINE, NOBODY = "me", "nobody"
LARGEST_ID = 2**63 - 1
LONGEST_HOURS = 24 * 365
AGES = (4, 12, 24, 48, 7 * 24)  # hours, that the page offers

REVIEWS = {UNFINISHED: _("Not finished"), **dict(Review.choices), ANY: pgettext_lazy("review", "any")}
REVIEW_CHOICES = list(REVIEWS.items())
PRIORITIES = {one.name.lower(): one for one in Priority}
FLAGS = {
    ANY: pgettext_lazy("flag", "any at all"),
    "L": _("L: low"),
    "H": _("H: high"),
    "LL": _("LL: critically low"),
    "HH": _("HH: critically high"),
    "A": _("A: abnormal"),
}
SORTS = {
    "due": _("Due first"),
    "priority": _("Most urgent first"),
    "oldest": _("Oldest first"),
    "newest": _("Newest first"),
    "accession": _("By accession"),
}
LABELS = {
    "processing": _("State"),
    "review": pgettext_lazy("how far people are with a case", "Review"),
    "priority": _("Priority"),
    "assignee": _("Whose"),
    "flag": _("Flag"),
    "older_than": _("Age"),
    "overdue": _("Overdue only"),
    "sort": _("Order"),
}


@dataclass(frozen=True)
class Wanted:
    """Which cases, and in what order; each as text, "" for all of them."""

    processing: str = ""
    review: str = ""
    """"" stands for UNFINISHED."""
    priority: str = ""
    assignee: str = ""
    """MINE, NOBODY, or somebody's id."""
    flag: str = ""
    older_than: str = ""
    """Hours since they were opened."""
    overdue: str = ""
    """"1": those alone."""
    sort: str = ""
    """"" stands for what is due first, or, where finished cases are asked for, for the newest."""

    @property
    def is_of_work(self) -> bool:
        """Whether it asks for nothing that is finished."""
        return bool(self.overdue) or self.review in ("", UNFINISHED, *UNDER_WAY_STATES)

    @property
    def order(self) -> str:
        return self.sort or ("due" if self.is_of_work else "newest")

    @property
    def query(self) -> dict[str, str]:
        """What is asked, without what is not."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def narrows(self) -> dict[str, str]:
        """What leaves cases out."""
        return {name: value for name, value in self.query.items() if name != "sort"}


NAMES = tuple(field.name for field in fields(Wanted))


def parse(asked: Mapping[str, Any], people: Collection[int] | None = None) -> tuple[Wanted, list[str]]:
    """What is asked for, and the names of what cannot be: it is left out.

    Args:
        people: whose cases may be asked for; None: anybody's.
    """
    given = {name: str(asked.get(name) or "") for name in NAMES}
    invalid = [name for name, value in given.items() if value and not _is_valid(name, value, people)]
    return Wanted(**{name: "" if name in invalid else value for name, value in given.items()}), invalid


def named(names: Collection[str]) -> str:
    """Filters as people call them, in one line."""
    return ", ".join(str(LABELS[name]) for name in names)


def age_label(hours: int) -> str:
    if hours % 24 == 0:
        return ngettext("over %(n)s day", "over %(n)s days", hours // 24) % {"n": hours // 24}
    return ngettext("over %(n)s hour", "over %(n)s hours", hours) % {"n": hours}


def _is_valid(name: str, value: str, people: Collection[int] | None) -> bool:
    match name:
        case "assignee":
            if value in (MINE, NOBODY):
                return True
            number = _number(value, LARGEST_ID)
            return number is not None and (people is None or number in people)
        case "older_than":
            return _number(value, LONGEST_HOURS) is not None
        case _:
            return value in _CHOICES[name]


def _number(value: str, most: int) -> int | None:
    """A positive whole number in digits."""
    if not (value.isascii() and value.isdigit()) or len(value) > len(str(most)):
        return None
    return int(value) if 0 < int(value) <= most else None


_CHOICES: dict[str, Collection[str]] = {
    "processing": Processing.values,
    "review": REVIEWS.keys(),
    "priority": PRIORITIES.keys(),
    "flag": FLAGS.keys(),
    "overdue": ("1",),
    "sort": SORTS.keys(),
}
UNDER_WAY_STATES = tuple(state for state in Review if state not in FINISHED)
