"""Asking for a second reader, and finishing a reading. Whoever calls has checked that the person may."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.closing import ReviewOver
from webapp.cases.models import UNDER_WAY, Case
from webapp.cases.services import hold
from webapp.labs.models import Membership
from webapp.outbox.events import SecondReaderAsked, publish
from webapp.review.agreement import agreements, compare, open_disagreements
from webapp.review.models import Agreement, Reading, SecondReader
from webapp.review.permissions import NEEDED
from webapp.review.selectors import counts_of, decisions_in_first
from webapp.rules.models import Rule


class AskedAlready(Exception):
    """Somebody asked for a second reader, and nobody reads yet."""

    def __str__(self) -> str:
        return _("A second reader was asked for already. Withdraw that first to ask somebody else.")


class CannotReadSecond(Exception):
    """The person may not read second, or decided in the first reading."""

    def __str__(self) -> str:
        return _("This person may not read second, or decided in the first reading of this case.")


class NotWithdrawn(Exception):
    """There is nothing to withdraw."""

    def __str__(self) -> str:
        return _("No second reader is asked for, or they have finished.")


class Undecided(Exception):
    """Cells are undecided, or there are none, so the reading cannot be finished."""

    def __init__(self, cells: int) -> None:
        super().__init__(cells)
        self.cells = cells

    def __str__(self) -> str:
        if not self.cells:
            return _("There are no cells, so there is nothing to finish.")
        return ngettext(
            "%(n)s cell is undecided. A reading is finished when none is.",
            "%(n)s cells are undecided. A reading is finished when none is.",
            self.cells,
        ) % {"n": self.cells}


def who_may(case: Case) -> list[Membership]:
    """The members of the case's lab who may read it second, without having seen the first reading."""
    members = Membership.objects.filter(lab=case.lab_id, active=True).select_related("user", "lab")
    saw = set(decisions_in_first(case).order_by().values_list("by", flat=True).distinct())
    return [
        one
        for one in members
        if one.user_id not in saw and all(one.may(needed) for needed in NEEDED[Reading.Kind.SECOND])
    ]


def asked_for(case: Case) -> QuerySet[SecondReader]:
    """The second readers of a case that were asked for and not withdrawn, the last first."""
    found = SecondReader.objects.filter(case=case, withdrawn_at=None).order_by("-at")
    return found.select_related("asked", "asked_by", "rule", "reading__reader")


@dataclass(frozen=True)
class Standing:
    """How far the second reading of a case is.

    Attributes:
        waiting: who was asked and has not finished, whether they read already or not.
        agreement: the last.
        finished: second readings that wait for the first to be finished.
        open: cells on which readings differ, and that nobody settled.
    """

    waiting: tuple[SecondReader, ...]
    agreement: Agreement | None
    finished: int
    open: int

    @property
    def is_done(self) -> bool:
        """Whether a second person read, and nothing is open."""
        return self.agreement is not None and not (self.waiting or self.finished or self.open)


def standing(case: Case) -> Standing:
    asked = list(asked_for(case))
    seconds = [one.reading for one in asked if one.reading is not None and one.reading.finished_at]
    return Standing(
        waiting=tuple(one for one in asked if one.reading is None or one.reading.finished_at is None),
        agreement=agreements(case).first(),
        finished=sum(reading.unblinded_at is None for reading in seconds),
        open=open_disagreements(case).count(),
    )


@transaction.atomic
def ask(case: Case, *, by: User, asked: User | None = None, rule: Rule | None = None) -> SecondReader:
    """Ask a person to read the case second, or anybody who may; they are told.

    A person who is named is blinded from now on: their reading is there, and the first is not shown to them.

    Args:
        rule: that asks, where no person does; `by` is then who had it looked at.

    Raises:
        ReviewOver, AskedAlready, CannotReadSecond
    """
    case = hold(case)
    if case.review not in UNDER_WAY:
        raise ReviewOver
    if standing(case).waiting:
        raise AskedAlready
    if asked is not None and asked.pk not in {one.user_id for one in who_may(case)}:
        raise CannotReadSecond
    reading = None
    if asked is not None:
        reading, is_new = Reading.objects.get_or_create(
            case=case,
            kind=Reading.Kind.SECOND,
            reader=asked,
            defaults={"lab_id": case.lab_id, "blinded": True},
        )
        if not is_new and SecondReader.objects.filter(reading=reading).exists():
            raise CannotReadSecond
    made = SecondReader.objects.create(
        lab_id=case.lab_id, case=case, asked=asked, asked_by=by, rule=rule, reading=reading
    )
    publish(SecondReaderAsked(case.lab_id, case.id, asked.pk if asked else 0, by.pk))
    _record(Action.SECOND_READER_ASKED, case, by_rule=rule.name if rule else "")
    return made


@transaction.atomic
def withdraw(case: Case) -> None:
    """Let nobody read second who was asked and has not finished.

    Raises:
        NotWithdrawn
    """
    case = hold(case)
    waiting = asked_for(case)
    rows = [one for one in waiting if one.reading is None or one.reading.finished_at is None]
    if not rows:
        raise NotWithdrawn
    for one in rows:
        reading, is_begun = one.reading, one.is_begun
        one.withdrawn_at = timezone.now()
        if reading is not None and not is_begun:
            one.reading = None
        one.save(update_fields=["withdrawn_at", "reading"])
        if reading is not None and not is_begun:
            reading.delete()  # else they would stay blinded by a reading that nobody wants
    _record(Action.SECOND_READER_WITHDRAWN, case)


@transaction.atomic
def finish(reading: Reading, *, by: User) -> list[Agreement]:
    """Say that a reading is done. Where the other of the case is, too, both are compared, and each is seen by
    the other's reader from now on.

    Raises:
        ReviewOver, Undecided
    """
    if reading.kind == Reading.Kind.TEACHING:
        # untranslated: a fault of the caller's
        raise ValueError("A teaching reading is compared with none.")
    reading.case = hold(reading.case)
    reading.refresh_from_db(fields=["revision", "finished_at"])
    if reading.case.review not in UNDER_WAY:
        raise ReviewOver
    if reading.finished_at is None:
        counts = counts_of(reading.case, reading)
        undecided = sum(counts.suggested.values())
        if undecided or not counts.reviewed:
            raise Undecided(undecided)
        reading.finished_at, reading.finished_by = timezone.now(), by
        reading.save(update_fields=["finished_at", "finished_by"])
        _record(Action.READING_FINISHED, reading.case, kind=reading.kind, reading=reading.pk)
    return compare(reading.case)


def _record(action: Action, case: Case, **after: object) -> None:
    record(action, lab=case.lab_id, subject=case.accession, subject_id=f"case {case.id}", after=after or None)
