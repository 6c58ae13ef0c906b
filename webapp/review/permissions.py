"""Who may decide in a reading: it asks for another permission by what the reading is for."""

from webapp.labs.authorization import may
from webapp.labs.models import Membership
from webapp.labs.permissions import Permission
from webapp.review.models import Reading

TO_DECIDE: dict[str, Permission] = {
    Reading.Kind.FIRST: Permission.DECIDE,
    Reading.Kind.SECOND: Permission.READ_SECOND,
    Reading.Kind.TEACHING: Permission.DO_EXERCISES,
}


def may_decide(membership: Membership, reading: Reading) -> bool:
    """Whether the member may decide in this reading of their lab; a denial is recorded.

    A second or teaching reading is its reader's alone.
    """
    if reading.lab_id != membership.lab_id:
        return False
    if not may(membership, TO_DECIDE[reading.kind]):
        return False
    return reading.kind == Reading.Kind.FIRST or reading.reader_id == membership.user_id
