"""What a table of cases needs."""

from typing import Any
from uuid import UUID

from webapp.cases import selectors
from webapp.cases.disclosure import identifiers_shown
from webapp.cases.models import Case
from webapp.labs.permissions import Permission
from webapp.ui.permissions import MemberRequest

COLUMNS = ("name", "mrn")  # of the patient


def rows_context(request: MemberRequest, shown: list[Case], without_flags: set[UUID]) -> dict[str, Any]:
    """Each case with its progress and, where one may see it, its patient; and what one may do with it.

    Args:
        without_flags: those whose flags one is not told.
    """
    progress, member = selectors.progress_of(shown), request.membership
    may_see = member.may(Permission.VIEW_IDENTIFIERS)
    patients = identifiers_shown(shown, COLUMNS) if may_see else {}
    return {
        "may_see_patients": may_see,
        "may_take": member.may(Permission.DECIDE),
        "may_assign": member.may(Permission.ASSIGN),
        "without_flags": without_flags,
        "rows": [(case, progress[case.id], patients.get(case.id)) for case in shown],
    }
