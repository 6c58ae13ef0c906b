"""The audit trail as people see and take it away: the page, the API, the exports."""

import csv
import hashlib
import io
import json

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse

from tests.support.people import Person, person
from tests.support.present import present
from webapp.audit.actions import Action
from webapp.audit.chain import INSTALLATION, canonical
from webapp.audit.context import Actor, acting
from webapp.audit.models import Entry
from webapp.audit.services import record
from webapp.labs.permissions import Role
from webapp.ui.audit.views import ENTRIES_A_PAGE

pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def admin(lab):
    return person(lab, "Ada", Role.ADMIN)


def happened(lab, subject, *, by="Ann", role="admin"):
    with acting(Actor(len(by) * 1000, by)):
        record(Action.MEMBER_ROLE_SET, lab=lab.id, subject=subject, after={"role": role})


def page(admin: Person, **query) -> str:
    response = admin.browser.get(reverse("ui:audit"), query)
    assert response.status_code == 200
    return response.content.decode()


def rows(admin, **query) -> list[str]:
    return [row["sentence"] for row in admin.api.read("/audit/", **query).json()["results"]]


def exported(admin, kind, **query) -> str:
    return b"".join(admin.api.read(f"/audit/export.{kind}", **query)).decode()


def test_the_page_says_what_happened(admin, lab):
    happened(lab, "Bob")
    shown = page(admin)
    assert "Ann made Bob an admin" in shown
    assert bytes(Entry.objects.get(chain=lab.id, subject="Bob").hash).hex() in shown


def test_what_people_are_called_is_no_markup(admin, lab):
    happened(lab, "<b>Bob</b>", by="{subject.__class__}")
    shown = page(admin)
    assert "<b>" not in shown
    assert "{subject.__class__} made &lt;b&gt;Bob&lt;/b&gt; an admin" in shown


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ({}, ("Bob", "Cy", "Di")),
        ({"actor": "4000"}, ("Di",)),
        ({"actor": "0"}, ()),
        ({"action": "member.role_set"}, ("Bob", "Cy", "Di")),
        ({"action": "case.opened"}, ()),
        ({"subject": "Cy"}, ("Cy",)),
        ({"since": "2020-01-01", "until": "2020-01-02"}, ()),
        ({"since": "2020-01-01"}, ("Bob", "Cy", "Di")),
    ],
    ids=str,
)
def test_filters(admin, lab, query, seen):
    for subject, by in (("Bob", "Ann"), ("Cy", "Ann"), ("Di", "Adam")):
        happened(lab, subject, by=by)
    shown, listed, taken = page(admin, **query), rows(admin, **query), exported(admin, "csv", **query)
    for subject in ("Bob", "Cy", "Di"):
        assert (f"made {subject} an" in shown) == (subject in seen)
        assert any(f"made {subject} an" in row for row in listed) == (subject in seen)
        assert (f"made {subject} an" in taken) == (subject in seen)


def test_a_filter_that_makes_no_sense_is_said_beside_it(admin):
    response = admin.browser.get(reverse("ui:audit"), {"since": "yesterday"})
    assert response.status_code == 422
    assert b"Enter a valid date" in response.content
    assert admin.api.read("/audit/", since="yesterday").status_code == 400


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30])
def test_a_made_up_place_is_not_found(admin, before):
    assert admin.browser.get(reverse("ui:audit"), {"before": before}).status_code == 404


def test_pages_follow_one_another_and_cost_the_same(admin, lab, django_assert_max_num_queries):
    for number in range(ENTRIES_A_PAGE + 5):
        happened(lab, f"Person-{number:03}")
    browser = admin.browser
    with django_assert_max_num_queries(9):
        first = browser.get(reverse("ui:audit")).content.decode()
    assert f"Person-{ENTRIES_A_PAGE + 4:03}" in first
    assert "Person-000" not in first
    older = first.partition("before=")[2].partition('"')[0]
    second = page(admin, before=older)
    assert "Person-000" in second
    assert "Person-005" not in second


def test_another_labs_trail_is_not_seen(admin, charlie):
    happened(charlie.lab, "Southern Bob")
    assert "Southern Bob" not in page(admin) + exported(admin, "jsonl")


def test_the_csv_is_safe_in_a_spreadsheet(admin, lab):
    happened(lab, "=cmd|' /C calc'!A0")
    row = next(row for row in csv.DictReader(io.StringIO(exported(admin, "csv"))) if "calc" in row["subject"])
    assert row["subject"].startswith("'=cmd")
    assert json.loads(row["after"]) == {"role": "admin"}


def test_json_lines_can_be_checked_by_anybody(admin, lab):
    happened(lab, "Björn “B” \\ \n")
    lines = [json.loads(line) for line in exported(admin, "jsonl").splitlines()]
    previous = "00" * 32
    for line in lines:
        del line["sentence"]
        seal = line.pop("hash")
        assert line["previous"] == previous
        assert hashlib.sha256(canonical(line)).hexdigest() == seal
        previous = seal


def test_the_export_is_its_own_last_entry(admin):
    last = json.loads(exported(admin, "jsonl", action="audit.exported").splitlines()[-1])
    assert last["sentence"] == "Ada exported the audit trail (jsonl)"
    assert last["after"] == {"format": "jsonl", "action": "audit.exported"}
    assert last["token"] == admin.token[:11]


# --- the installation's own --------------------------------------------------------------------------------


@pytest.fixture
def operator(admin):
    user = admin.membership.user
    user.is_staff = True
    user.save()
    Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
    return admin


def test_operators_see_what_belongs_to_no_lab(operator, lab):
    happened(lab, "Bob")
    record(Action.KEYS_ROTATED, lab=None)
    shown = operator.browser.get(reverse("ui:installation-audit")).content.decode()
    assert Entry.objects.get(action=Action.KEYS_ROTATED).sentence in shown
    assert "Bob" not in shown
    assert reverse("ui:installation-audit") in operator.browser.get("/", follow=True).content.decode()
    assert Entry.objects.get(action=Action.KEYS_ROTATED).sentence not in page(operator)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_operators_take_it_away_and_that_is_recorded(operator, form):
    record(Action.KEYS_ROTATED, lab=None)
    taken = operator.browser.get(
        reverse(f"ui:installation-audit-{form}"), {"action": Action.KEYS_ROTATED.value}
    )
    assert Entry.objects.get(action=Action.KEYS_ROTATED).seal in b"".join(taken).decode()
    last = Entry.objects.filter(chain=INSTALLATION).latest("seq")
    assert (last.action, present(last.after)["format"]) == (Action.AUDIT_EXPORTED, form)
    assert operator.browser.get(reverse(f"ui:installation-audit-{form}"), {"since": "x"}).status_code == 422
