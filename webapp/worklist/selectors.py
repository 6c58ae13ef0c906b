from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from webapp.accounts.models import User
from webapp.cases import selectors
from webapp.cases.identifiers import normal_accession
from webapp.cases.models import UNFINISHED as IS_UNFINISHED
from webapp.cases.models import Case, Processing
from webapp.labs.models import Membership
from webapp.review.selectors import read_blinded
from webapp.worklist.filters import ANY, MINE, NOBODY, PRIORITIES, UNDER_WAY_STATES, UNFINISHED, Wanted
from webapp.worklist.models import SavedFilter

# The columns by which cases are in order: each sort has an index, and the last makes no two the same.
_KEYS: dict[str, tuple[str, ...]] = {
    "due": ("due_at", "created_at", "id"),
    "priority": ("-priority", "created_at", "id"),
    "oldest": ("created_at", "id"),
    "newest": ("-created_at", "-id"),
    "accession": ("accession", "id"),
}
_READ_BLINDED = "is_read_blinded"
_MAY_BE_EMPTY = {"due_at"}  # such come last


class NoSuchPlace(Exception):
    """The case after which the list is to go on is none of the lab's."""


@dataclass(frozen=True)
class Counts:
    """How many cases are work, by state."""

    review: dict[str, int]
    processing: dict[str, int]
    overdue: int
    mine: int
    nobody: int

    @property
    def unfinished(self) -> int:
        return sum(self.review.values())


def page(
    member: Membership, wanted: Wanted, size: int, *, prefix: str = "", after: UUID | None = None
) -> list[Case]:
    """Up to `size` of the lab's cases, of those that are wanted, in their order. Of each
    `is_without_flags` knows whether the member is told its flags.

    Args:
        prefix: with which their accession begins, in any case.
        after: the last case of the page before.

    Raises:
        NoSuchPlace: there is no such case.
    """
    found = selectors.cases().select_related("assignee").filter(_condition(member, wanted))
    found = found.annotate(**{_READ_BLINDED: _is_read_blinded(member)})
    if prefix:
        found = found.filter(accession__istartswith=normal_accession(prefix))
    keys = _KEYS[wanted.order]
    if after:
        place = Case.objects.filter(id=after).values_list(*(key.removeprefix("-") for key in keys)).first()
        if place is None:
            raise NoSuchPlace
        found = found.filter(_behind(keys, place))
    return list(found.order_by(*map(_order, keys))[:size])


def counts(member: Membership) -> Counts:
    """How many cases are work: finished ones, which grow for ever, are not counted."""

    def n(**of: Any) -> Count:
        return Count("id", filter=Q(**of))

    found = (
        Case.objects.filter(IS_UNFINISHED)
        .order_by()
        .aggregate(
            **{f"review_{state.value}": n(review=state) for state in UNDER_WAY_STATES},
            **{f"processing_{state.value}": n(processing=state) for state in Processing},
            overdue=n(due_at__lt=timezone.now()),
            mine=n(assignee=member.user_id),
            nobody=n(assignee=None),
        )
    )
    return Counts(
        {state.value: found[f"review_{state.value}"] for state in UNDER_WAY_STATES},
        {state.value: found[f"processing_{state.value}"] for state in Processing},
        *(found[name] for name in ("overdue", "mine", "nobody")),
    )


def overdue(assignee: int | None) -> QuerySet[Case]:
    """The overdue cases of a person, or of nobody."""
    return Case.objects.filter(IS_UNFINISHED, assignee=assignee, due_at__lt=timezone.now())


def nobodys() -> QuerySet[Case]:
    """The cases that are work, and nobody's."""
    return Case.objects.filter(IS_UNFINISHED, assignee=None)


def is_without_flags(case: Case) -> bool:
    """Whether the member who asked for the case's page is not told its flags: they read it blinded."""
    return bool(getattr(case, _READ_BLINDED))


def without_flags(viewer: User, cases: Iterable[Case]) -> set[UUID]:
    """Those of the cases whose flags a person is not told: they read them blinded."""
    return set(read_blinded(viewer).filter(case__in=list(cases)).values_list("case_id", flat=True))


def saved_filters(member: Membership) -> QuerySet[SavedFilter]:
    """The member's own, by name."""
    return SavedFilter.objects.filter(membership=member)


def _condition(member: Membership, wanted: Wanted) -> Q:
    found = Q()
    review = wanted.review or UNFINISHED
    if wanted.is_of_work:
        found &= IS_UNFINISHED
    if review not in (UNFINISHED, ANY):
        found &= Q(review=review)
    if wanted.processing:
        found &= Q(processing=wanted.processing)
    if wanted.priority:
        found &= Q(priority=PRIORITIES[wanted.priority])
    if wanted.assignee == NOBODY:
        found &= Q(assignee=None)
    elif wanted.assignee:
        found &= Q(assignee=member.user_id if wanted.assignee == MINE else int(wanted.assignee))
    if wanted.flag:
        # To be found by its flag, or not, would tell the flag.
        found &= Q(~_is_read_blinded(member))
    if wanted.flag == ANY:
        found &= ~Q(flags=[])
    elif wanted.flag:
        found &= Q(flags__contains=[wanted.flag])
    if wanted.older_than:
        found &= Q(created_at__lt=timezone.now() - timedelta(hours=int(wanted.older_than)))
    if wanted.overdue:
        found &= Q(due_at__lt=timezone.now())
    return found


def _is_read_blinded(member: Membership) -> Exists:
    return Exists(read_blinded(member.user).filter(case=OuterRef("pk")))


def _order(key: str) -> Any:
    name = key.removeprefix("-")
    if name in _MAY_BE_EMPTY:
        return F(name).asc(nulls_last=True)
    return F(name).desc() if key.startswith("-") else F(name).asc()


def _behind(keys: Sequence[str], place: Sequence[Any]) -> Q:
    """What comes behind a place in the order of `keys`."""
    key, *rest = keys
    value, *others = place
    name = key.removeprefix("-")
    if value is None:
        return Q(**{f"{name}__isnull": True}) & _behind(rest, others)
    further = Q(**{f"{name}__{'lt' if key.startswith('-') else 'gt'}": value})
    if name in _MAY_BE_EMPTY:
        further |= Q(**{f"{name}__isnull": True})
    if not rest:
        return further
    behind = further | (Q(**{name: value}) & _behind(rest, others))
    if name in _MAY_BE_EMPTY:
        return behind
    # Says nothing more, but an index begins there.
    return Q(**{f"{name}__{'lte' if key.startswith('-') else 'gte'}": value}) & behind
