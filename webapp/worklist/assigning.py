"""Whose work a case is: assigning, taking, taking over, releasing."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.models import UNFINISHED, Case
from webapp.labs.models import Lab, Membership, members_changed
from webapp.outbox.events import CaseAssigned, CasesReleased, publish
from webapp.worklist.people import may_have_cases, people


class NotAssignable(Exception):
    """Nobody has work with the case any more, or the person may neither decide nor sign: the message says."""


class AssignedMeanwhile(Exception):
    """The case is somebody else's, or nobody's, than whoever asked had seen.

    Args:
        case: as it is now.
    """

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.case = case

    def __str__(self) -> str:
        if self.case.assignee is None:
            return _("Somebody released the case meanwhile: it is nobody's now.")
        return _("%(person)s has the case now.") % {"person": self.case.assignee}


@transaction.atomic
def assign(case: Case, to: User | None, *, by: User, instead_of: int | None) -> Case:
    """Make a case somebody's work, or nobody's.

    Of two who do so at once the second is told: nobody loses a case whose new owner they have not seen.

    Args:
        to: None: nobody's.
        instead_of: whose it is as far as `by` has seen: an id, or None for nobody's.

    Raises:
        AssignedMeanwhile: it is somebody else's than `instead_of` says, and not `to`'s already.
        NotAssignable: `to` may neither decide nor sign, or it is nobody's work any more.
    """
    # The membership first, as in `release_of_leavers`: who is deactivated at this moment gets no case then.
    if to is not None and not may_have_cases(_member(case.lab_id, to)):
        raise NotAssignable(_("%(person)s may neither decide nor sign in this lab.") % {"person": to})
    held = Case.objects.select_for_update(no_key=True).filter(id=case.id).values_list("id", flat=True).get()
    case = Case.objects.select_related("assignee").get(id=held)
    if case.is_finished:
        raise NotAssignable(_("The case is finished: %(state)s.") % {"state": case.get_review_display()})
    wanted = to and to.pk
    if case.assignee_id == wanted:
        return case
    if case.assignee_id != instead_of:
        raise AssignedMeanwhile(case)
    before = case.assignee
    case.assignee, case.assigned_at = to, timezone.now() if to else None
    case.save(update_fields=["assignee", "assigned_at"])
    _record(case, before, by)
    if wanted:
        publish(CaseAssigned(case.lab_id, case.id, wanted, by.pk))
    return case


@transaction.atomic
def release_of_leavers(lab: Lab) -> int:
    """Make nobody's the cases of those who left the lab, or may neither decide nor sign any more.

    Returns how many they were.
    """
    with scope(lab=lab):
        # Locked, so that nobody is given a case between this look and the end of the deed that it follows.
        may = [one.user_id for one in people(lab, locked=True)]
        theirs = Case.objects.filter(UNFINISHED, lab=lab, assignee__isnull=False).exclude(assignee__in=may)
        ids = list(theirs.select_for_update(no_key=True).order_by("id").values_list("id", flat=True))
        if not ids:
            return 0
        cases = list(Case.objects.filter(id__in=ids).select_related("assignee").order_by("accession"))
        Case.objects.filter(id__in=ids).update(assignee=None, assigned_at=None)
        for case in cases:
            before, case.assignee = case.assignee, None
            _record(case, before, None)
        publish(CasesReleased(lab.pk, len(cases)))
    return len(cases)


@receiver(members_changed)
def _of_a_lab(lab: UUID, **_: Any) -> None:
    release_of_leavers(Lab.objects.get(id=lab))


def _member(lab_id: UUID, user: User) -> Membership | None:
    found = Membership.objects.select_for_update(no_key=True, of=("self",)).select_related("lab", "user")
    return found.filter(lab=lab_id, user=user).first()


def _record(case: Case, before: User | None, by: User | None) -> None:
    action = Action.CASE_ASSIGNED
    if case.assignee is None:
        action = Action.CASE_RELEASED
    elif case.assignee == by:
        action = Action.CASE_TAKEN_OVER if before else Action.CASE_TAKEN
    record(
        action,
        lab=case.lab_id,
        subject=case.accession,
        subject_id=f"case {case.id}",
        before={"assignee": str(before)} if before else None,
        after={"assignee": str(case.assignee)} if case.assignee else None,
    )
