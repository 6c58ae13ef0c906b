"""Who may decide in a reading."""

from webapp.labs.models import Membership
from webapp.labs.permissions import Permission
from webapp.review.models import Reading

NEEDED: dict[Reading.Kind, tuple[Permission, ...]] = {
    Reading.Kind.FIRST: (Permission.DECIDE,),
    Reading.Kind.SECOND: (Permission.DECIDE, Permission.READ_SECOND),
    Reading.Kind.TEACHING: (Permission.DO_EXERCISES,),
}
"""What is asked of whoever opens a reading of a kind, or decides in it. The first is everybody's; others are
their reader's alone."""


def may_decide(membership: Membership, reading: Reading) -> bool:
    if reading.kind != Reading.Kind.FIRST and reading.reader_id != membership.user_id:
        return False
    return all(membership.may(permission) for permission in NEEDED[Reading.Kind(reading.kind)])
