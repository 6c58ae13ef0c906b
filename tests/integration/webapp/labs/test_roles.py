"""The table of roles as a lab changes it, and the second factor that it may ask for."""

from collections.abc import Set

import pytest
from django.urls import reverse

from tests.support.people import person
from tests.support.present import present
from webapp.audit.models import Entry
from webapp.labs import services
from webapp.labs.models import Lab
from webapp.labs.permissions import ADJUSTABLE, PLANNED, TABLE, Permission, Role, adjustable, granted
from webapp.labs.services import NotAdjustable

pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def ada(lab):
    return person(lab, "Ada", Role.ADMIN)


def boxes(**changed: Set[Permission]) -> dict[str, list[str]]:
    """The form with the boxes ticked as the table has it, but for the roles named."""
    table = {role: changed.get(role.value, TABLE[role]) for role in Role}
    return {
        "given": [f"{role.value}:{p.value}" for role in Role for p in table[role] if p in adjustable(role)]
    }


def adjust(ada, form):
    return ada.browser.post(reverse("ui:roles-adjust"), form, follow=True)


def test_a_change_holds_at_once_in_this_lab_alone(ada, alice, charlie):
    theirs = person(charlie.lab, "Tom", Role.TECHNICIAN)
    session = alice.browser
    adjust(ada, boxes(technician={Permission.VIEW_MODELS, Permission.USE_TOKENS}))
    assert session.get(reverse("ui:worklist")).status_code == 403
    assert session.get(reverse("ui:models")).status_code == 200
    assert alice.api.read("/cases/").status_code == 403
    assert theirs.api.read("/cases/").status_code == 200
    assert theirs.api.read("/models/").status_code == 403


def test_only_differences_are_stored_and_taking_them_back_leaves_none(ada):
    adjust(ada, boxes(lab_supervisor=TABLE[Role.SUPERVISOR] | {Permission.VIEW_AUDIT}))
    ada.lab.refresh_from_db()
    assert ada.lab.permission_changes == {"lab_supervisor": {"view_audit": True}}
    adjust(ada, boxes())
    ada.lab.refresh_from_db()
    assert ada.lab.permission_changes == {}


def test_the_page_shows_the_table_as_it_is(ada):
    adjust(ada, boxes(lab_supervisor=TABLE[Role.SUPERVISOR] | {Permission.VIEW_AUDIT}))
    page = ada.browser.get(reverse("ui:roles")).content.decode()
    assert 'value="lab_supervisor:view_audit" checked' in page
    assert page.count('class="changed"') == 1
    assert "admin:manage_members" not in page


def test_an_empty_form_leaves_what_no_lab_can_take(ada):
    adjust(ada, {})
    ada.lab.refresh_from_db()
    for role in Role:
        assert granted(role, ada.lab.permission_changes) == TABLE[role] - ADJUSTABLE[role] - PLANNED
    assert not any("sign" in changes for changes in ada.lab.permission_changes.values())
    assert ada.browser.get(reverse("ui:roles")).status_code == 200


@pytest.mark.parametrize(
    "box",
    [
        "clinician:view_identifiers",
        "technician:manage_members",
        "admin:view_identifiers",
        "technician:sign",
        "learner:use_tokens",
        "x",
        "admin:",
    ],
)
def test_a_box_that_is_not_on_the_form_changes_nothing(ada, box):
    assert adjust(ada, {"given": [box]}).status_code == 422
    assert Lab.objects.get(id=ada.lab.id).permission_changes == {}


@pytest.mark.parametrize(
    ("role", "permissions", "said"),
    [
        (Role.ADMIN, TABLE[Role.ADMIN] - {Permission.MANAGE_ROLES}, "cannot lose"),
        (Role.RESEARCHER, {Permission.VIEW_IDENTIFIERS}, "cannot be given"),
        (Role.ADMIN, TABLE[Role.ADMIN] | {Permission.VIEW_IDENTIFIERS}, "cannot be given"),
        (Role.TECHNICIAN, granted(Role.TECHNICIAN) | {Permission.SIGN}, "cannot be given"),
        (Role.CLINICIAN, TABLE[Role.CLINICIAN], "cannot be given"),  # nothing asks for it yet
        (Role.LEARNER, {Permission.USE_TOKENS}, "cannot be given"),
        (Role.TECHNICIAN, {Permission.UPLOAD_IMAGES, Permission.USE_TOKENS}, "leads nowhere without"),
    ],
)
def test_the_limits_hold_for_whoever_calls(lab, role, permissions, said):
    with pytest.raises(NotAdjustable, match=said):
        services.adjust_roles(lab, {role: permissions}, second_factor_roles=[])


def test_changes_are_on_record_with_before_and_after(ada):
    adjust(ada, boxes(lab_supervisor=TABLE[Role.SUPERVISOR] | {Permission.VIEW_AUDIT}))
    (entry,) = Entry.objects.filter(chain=ada.lab.id, action="role.changed")
    assert (entry.actor_name, entry.subject) == ("Ada", "Lab supervisor")
    before, after = present(entry.before), present(entry.after)
    assert set(after["permissions"]) - set(before["permissions"]) == {"view_audit"}


def test_a_role_that_must_have_a_second_factor_is_sent_to_set_one_up(ada, alice, settings):
    from allauth.mfa.models import Authenticator

    adjust(ada, {**boxes(), "second_factor": ["technician"]})
    session, old_token = alice.browser, alice.api
    response = session.get(reverse("ui:worklist"))
    assert response.url == reverse("mfa_index")
    assert session.get(response.url).status_code == 200
    assert session.get(reverse("ui:home")).url == reverse("mfa_index")
    assert old_token.read("/cases/").json()["error"]["code"] == "second_factor_needed"
    Authenticator.objects.create(user=alice.membership.user, type=Authenticator.Type.TOTP, data={})
    assert session.get(reverse("ui:worklist")).status_code == 200
    # What was made before the factor was there may have been made by whoever knew the password alone.
    assert old_token.read("/cases/").status_code == 401
    assert person(ada.lab, "Alice", Role.TECHNICIAN).api.read("/cases/").status_code == 200
    Authenticator.objects.all().delete()
    assert session.get(reverse("ui:worklist")).url == reverse("mfa_index")
