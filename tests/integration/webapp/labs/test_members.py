"""Members of a lab: their roles, shutting out and letting in, and that somebody can always manage it."""

from threading import Barrier, Thread

import pytest
from django.db import connection
from django.urls import reverse
from django_scopes import scope

from tests.support.people import person
from webapp.audit.models import Entry
from webapp.labs import services
from webapp.labs.models import ApiToken, Lab, Membership
from webapp.labs.permissions import Role
from webapp.labs.services import LastAdmin

pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def ada(lab):
    return person(lab, "Ada", Role.ADMIN)


def do(someone, name, *args, **data):
    return someone.browser.post(reverse(f"ui:{name}", args=args), data, follow=True)


def actions(lab):
    return list(Entry.objects.filter(chain=lab.id).order_by("seq").values_list("action", flat=True))


def test_the_list_shows_everybody_with_role_and_state(ada, alice):
    do(ada, "member-deactivate", alice.membership.id)
    page = ada.browser.get(reverse("ui:members")).content.decode()
    for said in ("Ada", "alice@northern.example", "Technician", "Deactivated"):
        assert said in page


def test_a_role_is_changed_at_once(ada, alice):
    session = alice.browser
    assert session.get(reverse("ui:worklist")).status_code == 200
    do(ada, "member-role", alice.membership.id, role="clinician")
    assert session.get(reverse("ui:worklist")).status_code == 403
    assert alice.api.read("/cases/").status_code == 403
    entry = Entry.objects.filter(chain=ada.lab.id, action="member.role_set").latest("seq")
    assert (entry.before, entry.after) == ({"role": "Technician"}, {"role": "Clinician"})


@pytest.mark.parametrize("role", ["", "chief", None])
def test_a_role_that_is_none_changes_nothing(ada, alice, role):
    page = do(ada, "member-role", alice.membership.id, **({"role": role} if role else {}))
    assert "Choose one of the roles" in page.content.decode()
    with scope(lab=ada.lab):
        assert Membership.objects.get(id=alice.membership.id).role == Role.TECHNICIAN


def test_deactivation_ends_sessions_and_tokens_at_once_and_tokens_for_good(ada, alice):
    session = alice.browser
    do(ada, "member-deactivate", alice.membership.id)
    assert session.get(reverse("ui:worklist")).status_code == 403
    assert alice.api.read("/cases/").status_code == 401
    do(ada, "member-reactivate", alice.membership.id)
    assert session.get(reverse("ui:worklist")).status_code == 200
    assert alice.api.read("/cases/").status_code == 401
    assert actions(ada.lab)[-2:] == ["member.deactivated", "member.reactivated"]


def test_who_is_removed_is_gone_and_what_they_did_stays(ada, alice):
    case = alice.case("A-1")
    do(ada, "member-remove", alice.membership.id)
    assert alice.api.read("/cases/").status_code == 401
    with scope(lab=ada.lab):
        assert not Membership.objects.filter(user=alice.membership.user).exists()
        assert not ApiToken.objects.filter(membership=alice.membership.id).exists()
    assert "Alice" in ada.browser.get(reverse("ui:case", args=[case.id])).content.decode()


def test_leaving_is_asked_about_and_then_done(alice):
    assert "Leave Northern lab?" in alice.browser.get(reverse("ui:leave-lab")).content.decode()
    page = do(alice, "leave-lab")
    assert "You have left Northern lab" in page.content.decode()
    assert actions(alice.lab)[-1] == "member.left"


@pytest.mark.parametrize(
    ("name", "data"),
    [("member-role", {"role": "technician"}), ("member-deactivate", {}), ("member-remove", {})],
)
def test_the_last_administrator_stays_one(ada, name, data):
    page = do(ada, name, ada.membership.id, **data).content.decode()
    assert "only administrator" in page
    person(ada.lab, "Second", Role.ADMIN)
    assert "only administrator" not in do(ada, name, ada.membership.id, **data).content.decode()
    with scope(lab=ada.lab):
        assert [m.user.name for m in Membership.objects.filter(role=Role.ADMIN, active=True)] == ["Second"]


def test_a_name_is_no_pattern_to_fill_in(alice):
    Lab.objects.filter(id=alice.lab.id).update(name="Lab {0.password}")
    assert "You have left Lab {0.password}." in do(alice, "leave-lab").content.decode()


def test_the_last_administrator_cannot_leave(ada):
    assert "only administrator" in do(ada, "leave-lab").content.decode()


@pytest.mark.parametrize("state", ["deactivated", "account closed"])
def test_an_administrator_who_cannot_sign_in_does_not_count(ada, state):
    other = person(ada.lab, "Other", Role.ADMIN).membership
    with scope(lab=ada.lab):
        if state == "deactivated":
            services.deactivate(other)
        else:
            other.user.is_active = False
            other.user.save()
        with pytest.raises(LastAdmin):
            services.leave(ada.membership)


@pytest.mark.parametrize(
    "change",
    [
        services.deactivate,
        services.remove,
        lambda membership: services.change_role(membership, Role.CLINICIAN),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_do_away_with_each_other_at_once_leave_one(lab, change):
    members = [person(lab, name, Role.ADMIN).membership for name in ("Ada", "Eve")]
    together, outcomes = Barrier(2), []

    def act(membership):
        try:
            with scope(lab=lab):
                together.wait()
                change(membership)
            outcomes.append("done")
        except LastAdmin:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=act, args=[membership]) for membership in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused"]
    with scope(lab=lab):
        assert Membership.objects.filter(role=Role.ADMIN, active=True).count() == 1


def test_what_happens_to_a_member_who_was_removed_meanwhile_is_told_as_missing(ada, alice):
    with scope(lab=ada.lab):
        services.remove(alice.membership)
        with pytest.raises(Membership.DoesNotExist):
            services.deactivate(alice.membership)
    assert do(ada, "member-role", alice.membership.id, role="clinician").status_code == 404
