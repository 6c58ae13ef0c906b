"""The table of roles and permissions, and what a lab may change of it."""

import pytest

from webapp.labs.permissions import ADJUSTABLE, PRESUPPOSES, TABLE, Permission, Role, allows, granted

ADMINISTERING = {
    Permission.MANAGE_MEMBERS,
    Permission.MANAGE_ROLES,
    Permission.MANAGE_TOKENS,
    Permission.MANAGE_LAB,
    Permission.VIEW_AUDIT,
}
IDENTIFIERS = {Permission.VIEW_IDENTIFIERS, Permission.EDIT_IDENTIFIERS}


def everything(value: bool) -> dict[str, dict[str, bool]]:
    return {role.value: {permission.value: value for permission in Permission} for role in Role}


def test_every_role_stands_in_the_table():
    assert set(TABLE) == set(ADJUSTABLE) == set(Role)


@pytest.mark.parametrize("role", Role)
def test_without_changes_the_table_holds(role):
    assert granted(role) == granted(role, {}) == TABLE[role]


@pytest.mark.parametrize("role", Role)
def test_changes_reach_as_far_as_the_limits_and_no_further(role):
    assert granted(role, everything(True)) == TABLE[role] | ADJUSTABLE[role]
    assert granted(role, everything(False)) == TABLE[role] - ADJUSTABLE[role]


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


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.RESEARCHER, Role.DATA_SCIENTIST])
def test_who_the_patients_are_cannot_be_given_to_those_who_do_not_work_on_open_cases(role):
    assert granted(role, everything(True)) & (IDENTIFIERS | {Permission.VIEW_CASES}) == set()


@pytest.mark.parametrize("role", Role)
def test_the_table_gives_nothing_without_what_it_presupposes(role):
    assert {
        permission for permission in TABLE[role] if PRESUPPOSES.get(permission, permission) not in TABLE[role]
    } == set()
