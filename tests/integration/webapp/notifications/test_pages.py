"""The inbox, what is told where, and the count that every page shows."""

import pytest
from django.urls import reverse
from django_scopes import scope

from tests.support.pages import page_of, plain_static, queries
from tests.support.present import present
from webapp.labs import services as labs
from webapp.labs.permissions import Role
from webapp.notifications import selectors, services
from webapp.notifications.models import Kind

__all__ = ["plain_static"]
pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def told(alice):
    case = alice.case("N-7")
    with scope(lab=alice.lab):
        facts = {"classified": 1234, "refused": 2, "failed": 0}
        services.tell(alice.membership, Kind.UPLOAD_FINISHED, case_id=case.id, facts=facts)
        services.tell(alice.membership, Kind.FILES_UNUSABLE, case_id=case.id, facts=facts)
        services.tell(alice.membership, Kind.JOB_ENDED, facts={"label": "Audit trail, CSV", "done": True})
    return case


def unread(someone) -> int:
    with scope(lab=someone.lab):
        return selectors.unread(someone.membership)


def test_the_inbox_says_what_happened_and_leads_there(alice, told):
    page = page_of(alice, "notifications")
    for said in ("1,234 cells", "2 refused", "N-7", reverse("ui:case", args=[told.id]), reverse("ui:jobs")):
        assert said in page
    assert 'aria-label="Notifications: 3 unread"' in page_of(alice, "worklist")


def test_the_inbox_counts_one_as_one(alice):
    case = alice.case("N-8")
    with scope(lab=alice.lab):
        facts = {"classified": 1, "refused": 0, "failed": 1}
        services.tell(alice.membership, Kind.UPLOAD_FINISHED, case_id=case.id, facts=facts)
        services.tell(alice.membership, Kind.FILES_UNUSABLE, case_id=case.id, facts=facts)
    page = page_of(alice, "notifications")
    for said in (">1 cell<", ">1 failed<"):
        assert said in page


def test_marking_as_read(alice, told):
    with scope(lab=alice.lab):
        first = present(selectors.inbox(alice.membership).first())
    assert alice.browser.post(reverse("ui:notification-read", args=[first.id])).status_code == 302
    assert unread(alice) == 2
    alice.browser.post(reverse("ui:notifications-read"))
    assert unread(alice) == 0
    assert "bell-count" not in page_of(alice, "notifications")


def test_nobody_marks_those_of_others(alice, bob, told):
    with scope(lab=alice.lab):
        first = present(selectors.inbox(alice.membership).first())
    assert bob.browser.post(reverse("ui:notification-read", args=[first.id])).status_code == 404
    bob.browser.post(reverse("ui:notifications-read"))
    assert unread(alice) == 3


def test_who_may_not_see_cases_any_more_is_shown_no_accession(alice, told):
    with scope(lab=alice.lab):
        labs.change_role(alice.membership, Role.CLINICIAN)
    assert "N-7" not in page_of(alice, "notifications")


def test_choices_are_kept(alice):
    browser = alice.browser
    address = reverse("ui:notification-preferences")
    browser.post(address, {"in_page": [Kind.JOB_ENDED], "by_mail": [Kind.UPLOAD_FINISHED, "made-up"]})
    with scope(lab=alice.lab):
        chosen = {
            choice.kind: (choice.in_page, choice.by_mail) for choice in selectors.choices(alice.membership)
        }
    assert chosen == {
        Kind.UPLOAD_FINISHED: (False, True),
        Kind.FILES_UNUSABLE: (False, False),
        Kind.SECOND_READER: (False, False),
        Kind.READINGS_COMPARED: (False, False),
        Kind.CALL_OVERDUE: (False, False),
        Kind.JOB_ENDED: (True, False),
        **dict.fromkeys((Kind.CASE_ASSIGNED, Kind.CASES_OVERDUE, Kind.CASES_RELEASED), (False, False)),
    }
    assert browser.get(address).content.decode().count(" checked") == 2


def test_the_inbox_costs_as_much_however_full_it_is(alice, told):
    browser, address = alice.browser, reverse("ui:notifications")
    queries(browser, address)  # it is signed in by now
    before = queries(browser, address)
    for number in range(20):
        case = alice.case(f"N-1{number}")
        with scope(lab=alice.lab):
            facts = {"classified": 1, "refused": 0, "failed": 0}
            services.tell(alice.membership, Kind.UPLOAD_FINISHED, case_id=case.id, facts=facts)
    assert queries(browser, address) == before
