"""What each kind of reading asks of whoever decides in it."""

import pytest

from webapp.accounts.models import User
from webapp.labs.models import Lab, Membership
from webapp.labs.permissions import Permission, Role
from webapp.review.models import Reading
from webapp.review.permissions import NEEDED, may_decide

FIRST, SECOND, TEACHING = Reading.Kind
DECIDING = {
    FIRST: {Role.TECHNICIAN, Role.PATHOLOGIST},
    SECOND: {Role.PATHOLOGIST},
    TEACHING: set(),  # nobody, until there are exercises
}


def test_every_kind_asks_for_something() -> None:
    assert set(NEEDED) == set(Reading.Kind)
    assert all(NEEDED.values())


@pytest.mark.parametrize("kind", Reading.Kind)
def test_which_roles_decide_in_it(kind: Reading.Kind) -> None:
    lab, user = Lab(), User(id=1)
    reading = Reading(lab=lab, kind=kind, reader=user)
    members = [Membership(lab=lab, user=user, role=role) for role in Role]
    assert {member.role for member in members if may_decide(member, reading)} == DECIDING[kind]


def test_a_reading_of_ones_own_is_nobody_elses_and_the_first_is_everybodys() -> None:
    lab = Lab()
    for kind, others in ((FIRST, True), (SECOND, False), (TEACHING, False)):
        role = Role.LEARNER if kind == TEACHING else Role.PATHOLOGIST
        other = Membership(lab=lab, user=User(id=2), role=role)
        assert may_decide(other, Reading(lab=lab, kind=kind, reader=User(id=1))) == others


def test_what_a_lab_takes_from_technicians_is_the_first_reading() -> None:
    lab = Lab(permission_changes={"technician": {Permission.DECIDE.value: False}})
    technician = Membership(lab=lab, user=User(id=1), role=Role.TECHNICIAN)
    assert not may_decide(technician, Reading(lab=lab, kind=FIRST))
