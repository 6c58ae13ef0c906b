"""Two windows, two labs: each request of a session names its lab, and is rejected in another (409)."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from webapp.labs.models import Lab, Membership
from webapp.labs.requests import LabRequest

HEADER, FIELD = "X-Lab", "in_lab"
"""Where a lab's id stands: scripts send the header, forms the field."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Conflict:
    """Why a request must not be answered in the lab that the session works in.

    Attributes:
        lost: the session's lab, where the person is no member of it any more.
        other: the membership that the request is of, where the person has one.
        says_nothing: it says of no lab.
    """

    lost: Lab | None = None
    other: Membership | None = None
    says_nothing: bool = False

    @property
    def code(self) -> str:
        if self.lost:
            return "lab_lost"
        return "lab_missing" if self.says_nothing else "other_lab"

    @property
    def message(self) -> str:
        if self.lost:
            text = _("You are no longer a member of %(lab)s. Nothing was done. Choose a lab to go on in.")
            return text % {"lab": self.lost}
        if self.says_nothing:
            text = _(
                "This does not say of which lab it is. Nothing was done. Name it by id in header %(header)s."
            )
            return text % {"header": HEADER}
        if self.other:
            text = _("This is of %(lab)s, and your browser works in another lab now. Nothing was done.")
            return text % {"lab": self.other.lab}
        return _(
            "This is of a lab that you do not belong to, and your browser works in another lab now. "
            "Nothing was done."
        )


def conflict(request: LabRequest, *named: str | None) -> Conflict | None:
    """Why a session's request must not be answered in its lab; None: it may be.

    Args:
        named: the labs that the request says it is of, None where it does not. What changes something must.
    """
    if request.lost_lab is not None:
        return Conflict(lost=request.lost_lab)
    if request.by_token or request.lab_worked_in is None:
        return None
    said = {lab for lab in named if lab is not None}
    if not said and request.method not in SAFE:
        return Conflict(says_nothing=True)
    others = said - {str(request.lab_worked_in.id)}
    if not others:
        return None
    return Conflict(other=next((one for one in request.memberships if str(one.lab_id) in others), None))
