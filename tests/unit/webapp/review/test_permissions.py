"""What each kind of reading asks of whoever decides in it."""

import pytest

from webapp.accounts.models import User
from webapp.labs import permissions
from webapp.labs.models import Lab, Membership
from webapp.labs.permissions import Permission, Role
from webapp.review.models import Reading
from webapp.review.permissions import TO_DECIDE, may_decide

FIRST, SECOND, TEACHING = Reading.Kind
DECIDING = {
    FIRST: {Role.TECHNICIAN, Role.PATHOLOGIST},
    SECOND: {Role.PATHOLOGIST},
    TEACHING: {Role.LEARNER},
}


@pytest.fixture
def pages_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it will be once an address asks for these permissions."""
    monkeypatch.setattr(permissions, "PLANNED", permissions.PLANNED - set(TO_DECIDE.values()))


def test_every_kind_asks_for_a_permission_of_its_own() -> None:
    assert set(TO_DECIDE) == set(Reading.Kind)
    assert len(set(TO_DECIDE.values())) == len(Reading.Kind)


@pytest.mark.usefixtures("pages_are_there")
@pytest.mark.parametrize("kind", Reading.Kind)
def test_which_roles_decide_in_it(kind: Reading.Kind) -> None:
    lab = Lab()
    assert {role for role in Role if Membership(lab=lab, role=role).may(TO_DECIDE[kind])} == DECIDING[kind]
    user = User(id=1)
    reading = Reading(lab=lab, kind=kind, reader=user)
    for role in DECIDING[kind]:
        assert may_decide(Membership(lab=lab, user=user, role=role), reading)


@pytest.mark.usefixtures("pages_are_there")
def test_a_reading_of_ones_own_is_nobody_elses_and_the_first_is_everybodys() -> None:
    lab = Lab()
    for kind, others in ((FIRST, True), (SECOND, False), (TEACHING, False)):
        role = Role.LEARNER if kind == TEACHING else Role.PATHOLOGIST
        other = Membership(lab=lab, user=User(id=2), role=role)
        assert may_decide(other, Reading(lab=lab, kind=kind, reader=User(id=1))) == others


@pytest.mark.usefixtures("pages_are_there")
def test_another_labs_reading_is_nobodys() -> None:
    user = User(id=1)
    pathologist = Membership(lab=Lab(), user=user, role=Role.PATHOLOGIST)
    assert not may_decide(pathologist, Reading(lab=Lab(), kind=FIRST, reader=user))


def test_today_nobody_may_for_no_page_asks() -> None:
    assert set(TO_DECIDE.values()) <= permissions.PLANNED
    for role in Role:
        assert not any(Membership(lab=Lab(), role=role).may(asked) for asked in TO_DECIDE.values())


def test_what_a_lab_takes_from_technicians_is_the_first_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "PLANNED", frozenset())
    lab = Lab(permission_changes={"technician": {Permission.DECIDE.value: False}})
    technician = Membership(lab=lab, role=Role.TECHNICIAN)
    assert not technician.may(TO_DECIDE[FIRST])
