"""The table of roles and permissions, and what a lab may change of it."""

import pytest

from webapp.labs.permissions import (
    ADJUSTABLE,
    IN_USE,
    PLANNED,
    PRESUPPOSES,
    TABLE,
    Permission,
    Role,
    adjustable,
    allows,
    granted,
)

ADMINISTERING = {
    Permission.MANAGE_MEMBERS,
    Permission.MANAGE_ROLES,
    Permission.MANAGE_TOKENS,
    Permission.MANAGE_LAB,
    Permission.VIEW_AUDIT,
}
IDENTIFIERS = {Permission.VIEW_IDENTIFIERS, Permission.EDIT_IDENTIFIERS}
P = Permission

# What the table says of results, and whether a lab may change it: role → what it has.
PROMISED = {
    Role.TECHNICIAN: {P.DECIDE},
    Role.PATHOLOGIST: {P.DECIDE, P.SIGN, P.AMEND, P.READ_SECOND},
    Role.SUPERVISOR: {P.ASSIGN, P.APPROVE, P.VIEW_METRICS},
    Role.CLINICIAN: {P.READ_REPORTS},
    Role.RESEARCHER: {P.REQUEST_EXPORTS},
    Role.DATA_SCIENTIST: {P.VIEW_SIGNED_CELLS, P.VIEW_METRICS},
    Role.LEARNER: {P.DO_EXERCISES},
    Role.ADMIN: set(),
}
A_LAB_MAY_TAKE_AWAY = {(Role.TECHNICIAN, P.DECIDE)}
OF_RESULTS = frozenset().union(*PROMISED.values())


def everything(value: bool) -> dict[str, dict[str, bool]]:
    return {role.value: {permission.value: value for permission in Permission} for role in Role}


def test_every_role_stands_in_the_table():
    assert set(TABLE) == set(ADJUSTABLE) == set(Role)


@pytest.mark.parametrize("role", Role)
def test_without_changes_the_table_holds(role):
    assert granted(role) == granted(role, {}) == TABLE[role] - PLANNED


@pytest.mark.parametrize("role", Role)
def test_changes_reach_as_far_as_the_limits_and_no_further(role):
    assert granted(role, everything(True)) == (TABLE[role] | ADJUSTABLE[role]) - PLANNED
    assert granted(role, everything(False)) == TABLE[role] - ADJUSTABLE[role] - PLANNED


@pytest.mark.parametrize("role", Role)
def test_nobody_has_or_is_given_what_nothing_asks_for_yet(role):
    assert set(IN_USE) == set(Permission) - PLANNED
    for permission in PLANNED:
        assert not allows(role, permission)
        assert not allows(role, permission, everything(True))
        assert permission not in adjustable(role)


def test_what_is_planned_is_somebodys():
    assert {permission for role in Role for permission in TABLE[role]} == set(Permission)


@pytest.mark.parametrize("role", Role)
def test_who_decides_signs_and_sees_results(role):
    assert TABLE[role] & OF_RESULTS == PROMISED[role]
    changeable = {permission for one, permission in A_LAB_MAY_TAKE_AWAY if one == role}
    assert ADJUSTABLE[role] & OF_RESULTS == changeable


@pytest.mark.parametrize("permission", [P.SIGN, P.AMEND])
def test_nobody_but_pathologists_signs_whatever_a_lab_does(permission):
    assert [role for role in Role if permission in TABLE[role] | ADJUSTABLE[role]] == [Role.PATHOLOGIST]


def test_a_learner_does_exercises_only_whatever_a_lab_does():
    assert TABLE[Role.LEARNER] | ADJUSTABLE[Role.LEARNER] == {P.DO_EXERCISES}


def test_one_change_leaves_all_else():
    changes = {"technician": {"view_models": True, "create_cases": False}}
    differing = {
        (role, permission)
        for role in Role
        for permission in Permission
        if allows(role, permission, changes) != allows(role, permission)
    }
    assert differing == {
        (Role.TECHNICIAN, Permission.VIEW_MODELS),
        (Role.TECHNICIAN, Permission.CREATE_CASES),
    }


def test_administrators_cannot_lose_and_others_cannot_get_the_management_of_people():
    for role in Role:
        managing = {Permission.MANAGE_MEMBERS, Permission.MANAGE_ROLES, Permission.MANAGE_TOKENS}
        assert managing & ADJUSTABLE[role] == set()
        assert managing & TABLE[role] == (managing if role == Role.ADMIN else set())
    assert granted(Role.ADMIN, everything(False)) == ADMINISTERING


def test_administrators_see_no_patient_whatever_a_lab_does():
    assert (TABLE[Role.ADMIN] | ADJUSTABLE[Role.ADMIN]) & IDENTIFIERS == set()
    assert granted(Role.ADMIN, everything(True)) & IDENTIFIERS == set()


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.RESEARCHER, Role.DATA_SCIENTIST, Role.LEARNER])
def test_who_the_patients_are_cannot_be_given_to_those_who_do_not_work_on_open_cases(role):
    assert granted(role, everything(True)) & (IDENTIFIERS | {Permission.VIEW_CASES}) == set()


@pytest.mark.parametrize("role", Role)
def test_the_table_gives_nothing_without_what_it_presupposes(role):
    assert {
        permission for permission in TABLE[role] if PRESUPPOSES.get(permission, permission) not in TABLE[role]
    } == set()


@pytest.mark.parametrize("role", Role)
def test_every_role_has_a_name_within_a_sentence(role):
    assert role.in_sentence == role.label.lower()


@pytest.mark.parametrize("role", Role)
def test_what_no_lab_can_take_needs_nothing_that_a_lab_can(role):
    """Else a lab that takes the one could not save its table."""
    for permission in granted(role) - adjustable(role):
        assert PRESUPPOSES.get(permission) not in adjustable(role)
