"""Whose work a case is: taken, taken over, released, assigned; of two at once one gets it."""

from functools import partial
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.urls import reverse
from django_scopes import scope

from tests.support.people import person
from webapp.accounts.models import User
from webapp.audit.models import Entry
from webapp.cases.models import Case
from webapp.labs import services as labs
from webapp.labs.models import Membership
from webapp.labs.permissions import TABLE, Permission, Role
from webapp.notifications.consumers import tell_of_assignment, tell_of_release
from webapp.notifications.models import Notification
from webapp.outbox.events import CaseAssigned, CasesReleased
from webapp.outbox.models import Delivery
from webapp.worklist import overdue
from webapp.worklist.assigning import AssignedMeanwhile, NotAssignable, assign

pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def paul(lab):
    return person(lab, "Paul", Role.PATHOLOGIST)


@pytest.fixture
def sue(lab):
    return person(lab, "Sue", Role.SUPERVISOR)


def owner(case):
    with scope(lab=case.lab):
        return Case.objects.values_list("assignee", flat=True).get(id=case.id)


def give(case, to, by=None, instead_of=None):
    with scope(lab=case.lab):
        return assign(
            case,
            to and to.membership.user,
            by=(by or to).membership.user,
            instead_of=instead_of and instead_of.membership.user.pk,
        )


def on_record(case):
    found = Entry.objects.filter(chain=case.lab_id, action__in=["case.assigned", *TAKEN]).order_by("seq")
    return [(entry.action, entry.before, entry.after) for entry in found]


TAKEN = ("case.taken", "case.taken_over", "case.released")


def test_a_case_is_taken_taken_over_and_released_on_record(alice, paul):
    case = alice.case()
    give(case, alice)
    assert owner(case) == alice.membership.user.pk
    give(case, paul, instead_of=alice)
    give(case, None, by=paul, instead_of=paul)
    assert owner(case) is None
    assert on_record(case) == [
        ("case.taken", None, {"assignee": "Alice"}),
        ("case.taken_over", {"assignee": "Alice"}, {"assignee": "Paul"}),
        ("case.released", {"assignee": "Paul"}, None),
    ]


def test_taking_what_is_one_s_own_changes_nothing(alice):
    case = alice.case()
    give(case, alice)
    give(case, alice)
    assert len(on_record(case)) == 1


def test_nobody_loses_a_case_unseen(alice, paul):
    case = alice.case()
    give(case, alice)
    with pytest.raises(AssignedMeanwhile, match="Alice has the case now"):
        give(case, paul)
    assert owner(case) == alice.membership.user.pk
    give(case, None, by=alice, instead_of=alice)
    with pytest.raises(AssignedMeanwhile, match="nobody's now"):
        give(case, paul, instead_of=alice)


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_cases_are_the_work_of_those_who_decide_or_sign(alice, role):
    case, somebody = alice.case(), person(alice.lab, "Somebody", role)
    if {Permission.DECIDE, Permission.SIGN} & TABLE[role]:
        give(case, somebody, by=alice)
        assert owner(case) == somebody.membership.user.pk
    else:
        with pytest.raises(NotAssignable, match="neither decide nor sign"):
            give(case, somebody, by=alice)


def test_nor_of_another_lab_s_people(alice, charlie):
    stranger = person(charlie.lab, "Stranger", Role.PATHOLOGIST)
    with pytest.raises(NotAssignable):
        give(alice.case(), stranger, by=alice)


@pytest.mark.parametrize("state", ["signed", "amended", "void"])
def test_what_is_finished_is_nobody_s_work(alice, state):
    case = alice.case()
    with scope(lab=alice.lab):
        Case.objects.filter(id=case.id).update(review=state)
    with pytest.raises(NotAssignable, match="finished"):
        give(case, alice)
    page = alice.browser.get(reverse("ui:case-take", args=[case.id])).content.decode()
    assert "is finished" in page
    assert 'name="instead_of"' not in page


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_a_case_at_once_one_gets_it_and_the_other_is_told(alice, paul):
    case, together, outcomes = alice.case(), Barrier(2), []

    def take(someone):
        together.wait()
        try:
            give(case, someone)
            outcomes.append("taken")
        except AssignedMeanwhile as error:
            outcomes.append(str(error))
        finally:
            connection.close()

    threads = [Thread(target=take, args=[someone]) for someone in (alice, paul)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = "Alice" if owner(case) == alice.membership.user.pk else "Paul"
    assert sorted(outcomes) == sorted(["taken", f"{winner} has the case now."])
    assert len(on_record(case)) == 1


LOSSES = {
    "deactivated": lambda member: labs.deactivate(member),
    "removed": lambda member: labs.remove(member),
    "left": lambda member: labs.leave(member),
    "another role": lambda member: labs.change_role(member, Role.CLINICIAN),
    "the role lost it": lambda member: labs.adjust_roles(
        member.lab, {Role.TECHNICIAN: {Permission.VIEW_CASES}}, second_factor_roles=[]
    ),
    "the account was closed": lambda member: (
        User.objects.filter(id=member.user_id).update(is_active=False),
        overdue.find(),
    ),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_whoever_may_not_have_them_any_more_loses_their_cases(alice, paul, sue, lose):
    theirs, signed, other = (alice.case(f"A-{n}") for n in range(3))
    give(theirs, alice)
    give(signed, alice)
    give(other, paul)
    with scope(lab=alice.lab):
        Case.objects.filter(id=signed.id).update(review="signed")
        lose(alice.membership)
    assert owner(theirs) is None
    assert owner(signed) == alice.membership.user.pk  # as it was when it was work
    assert owner(other) == paul.membership.user.pk
    released = [entry for entry in on_record(theirs) if entry[0] == "case.released"]
    assert released == [("case.released", {"assignee": "Alice"}, None)]
    told = Delivery.objects.filter(consumer="notifications.tell_of_release")
    assert [delivery.event["cases"] for delivery in told] == [1]
    with scope(lab=alice.lab):
        tell_of_release(CasesReleased(alice.lab.id, 1))
        (notice,) = Notification.objects.all()
    assert (notice.recipient_id, notice.kind) == (sue.membership.id, "cases_released")
    page = sue.browser.get(reverse("ui:notifications")).content.decode()
    assert f"{reverse('ui:worklist')}?assignee=nobody" in page


def test_who_may_still_have_them_keeps_them(alice, sue):
    case = alice.case()
    give(case, alice)
    with scope(lab=alice.lab):
        labs.change_role(alice.membership, Role.PATHOLOGIST)
    assert owner(case) == alice.membership.user.pk


@pytest.mark.django_db(transaction=True)
def test_nobody_gets_a_case_at_the_moment_of_their_deactivation(alice, paul):
    for number in range(5):
        case, together = alice.case(f"A-{number}"), Barrier(2)

        def act(deed, together=together):
            together.wait()
            try:
                with scope(lab=alice.lab):
                    deed()
            except NotAssignable:
                pass
            finally:
                connection.close()

        deeds = [
            partial(give, case, paul, by=alice),
            lambda: labs.deactivate(Membership.objects.get(id=paul.membership.id)),
        ]
        threads = [Thread(target=act, args=[deed]) for deed in deeds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert owner(case) is None
        with scope(lab=alice.lab):
            labs.reactivate(Membership.objects.get(id=paul.membership.id))


def test_whoever_is_assigned_a_case_is_told_and_who_takes_one_is_not(alice, paul, sue):
    case = alice.case("SECRET-1")
    give(case, paul, by=sue)
    assert [
        one.event["assignee"] for one in Delivery.objects.filter(consumer="notifications.tell_of_assignment")
    ] == [paul.membership.user.pk]
    event = CaseAssigned(case.lab_id, case.id, paul.membership.user.pk, sue.membership.user.pk)
    with scope(lab=alice.lab):
        tell_of_assignment(event)
        (notice,) = Notification.objects.all()
        assert (notice.recipient_id, notice.kind, notice.case_id) == (
            paul.membership.id,
            "case_assigned",
            case.id,
        )
        notice.delete()
        give(case, None, by=sue, instead_of=paul)
        tell_of_assignment(event)  # it comes late
        give(case, alice)
        me = alice.membership.user.pk
        tell_of_assignment(CaseAssigned(case.lab_id, case.id, me, me))
        assert not Notification.objects.exists()


# --- pages and API ------------------------------------------------------------------------------------------


def test_the_page_takes_what_is_nobody_s_and_asks_before_it_takes_over(alice, paul):
    case = alice.case()
    address = reverse("ui:case-take", args=[case.id])
    back = f"{reverse('ui:worklist')}?sort=oldest"
    answer = alice.browser.post(address, {"back": back})
    assert answer.url == f"{back}#case-{case.id}"
    assert alice.browser.post(address, {"back": "https://evil.example/"}).url.startswith("/worklist/#")
    page = paul.browser.get(address).content.decode()
    assert "Alice has it since" in page
    taken = paul.browser.post(address, {"instead_of": ""})
    assert taken.status_code == 409
    assert "Alice has the case now." in taken.content.decode()
    paul.browser.post(address, {"instead_of": str(alice.membership.user.pk)})
    assert owner(case) == paul.membership.user.pk
    assert alice.browser.post(reverse("ui:case-release", args=[case.id])).status_code == 409
    paul.browser.post(reverse("ui:case-release", args=[case.id]))
    assert owner(case) is None


def test_the_page_assigns_to_anybody_who_may_have_it_and_to_nobody(alice, paul, sue, bob):
    case = alice.case()
    address = reverse("ui:case-assign", args=[case.id])
    page = sue.browser.get(address).content.decode()
    assert ("Paul" in page, "Alice" in page, "Bob" in page) == (True, True, False)
    for wrong in (str(bob.membership.user.pk), "0", "x"):
        assert sue.browser.post(address, {"assignee": wrong}).status_code == 422
    sue.browser.post(address, {"assignee": str(paul.membership.user.pk)})
    assert owner(case) == paul.membership.user.pk
    late = sue.browser.post(address, {"assignee": str(alice.membership.user.pk)})
    assert late.status_code == 409
    sue.browser.post(address, {"assignee": "", "instead_of": str(paul.membership.user.pk)})
    assert owner(case) is None
    assert alice.browser.get(address).status_code == 403


def test_the_api_does_the_same(alice, paul, sue, bob):
    case = alice.case()

    def put(someone, **body):
        return someone.api.put(f"/api/v1/cases/{case.id}/assignee/", body, content_type="application/json")

    me, other = alice.membership.user.pk, paul.membership.user.pk
    taken = alice.api.send(f"/cases/{case.id}/take/", {}).json()
    assert taken["assignee"] == {"id": me, "name": "Alice"}
    conflict = paul.api.send(f"/cases/{case.id}/take/", {})
    assert (conflict.status_code, conflict.json()["error"]["code"]) == (409, "assigned_meanwhile")
    assert paul.api.send(f"/cases/{case.id}/release/").status_code == 409
    assert paul.api.send(f"/cases/{case.id}/take/", {"instead_of": me}).status_code == 200
    assert paul.api.send(f"/cases/{case.id}/release/").json()["assignee"] is None
    assert put(sue, assignee=other).json()["assignee"]["id"] == other
    assert put(sue, assignee=me).status_code == 409
    assert put(sue, assignee=None, instead_of=other).json()["assignee"] is None
    assert put(sue, assignee=bob.membership.user.pk).status_code == 400
    wrongs: list[object] = ["x", -1, 10**30, {}, [1]]
    for wrong in wrongs:
        assert put(sue, assignee=wrong).status_code == 400
        assert alice.api.send(f"/cases/{case.id}/take/", {"instead_of": wrong}).status_code == 400
    assert put(alice, assignee=me).status_code == 403
    people = {one["name"] for one in alice.api.read("/worklist/people/").json()}
    assert people == {"Alice", "Paul"}
