"""Every endpoint × who asks: whose answer holds a patient's identifiers, and that it is on record.

Made from `ENDPOINTS`, so that a new endpoint is asked, too.
"""

import json
from collections.abc import Iterator
from datetime import date

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from django_scopes import scope
from pytest_django import DjangoDbBlocker

from tests.permissions.conftest import Layer, layer
from tests.permissions.endpoints import ENDPOINTS, path_of
from tests.permissions.places import Place
from tests.permissions.test_endpoints import ALL, API, each, rolled_back
from tests.support.pages import plain_static
from tests.support.review import decide
from webapp.audit.models import Entry
from webapp.cases.models import Case, Cell
from webapp.cases.services import change_identifiers, create_case
from webapp.cases.specimen_services import change_specimen
from webapp.hematology.remarks import WORDS
from webapp.labs.permissions import IN_USE, Permission, Role
from webapp.labs.tokens import issue_token
from webapp.results.calls import log
from webapp.results.models import CriticalCall
from webapp.review.models import Reading
from webapp.review.remark_services import make_remark

__all__ = ["plain_static"]
pytestmark = pytest.mark.usefixtures("plain_static")

PATIENT = {
    "name": "Zephyrine Quill",
    "mrn": "MRN-77012345",
    "birth_date": date(1931, 4, 17),
    "sex": "other",
    "notes": "Splenectomy after a fall from a horse",
}
TEXTS = {
    "requester": "Dr Plumeworth",
    "ordering_unit": "Ward of Dr Quillfeather",
    "clinical_question": "Relapse of hairy cell leukaemia?",
    "comment": "Drawn from the left heel",
}
OF_SPECIMEN = ("Plumeworth", "Quillfeather", "hairy cell", "left heel")
PLANTED = ("Zephyrine", "77012345", "1931-04-17", "17 Apr 1931", "Splenectomy", *OF_SPECIMEN)

OTHER = "A-3"

# What brings an endpoint to show all it can; others are sent nothing.
SENT = {
    f"{API}cases/search/": {"mrn": PATIENT["mrn"]},
    f"{API}cases/<uuid:case_id>/patient/": {"sex": "female"},
    f"{API}cases/": {"accession": "N-1"},
    f"{API}cases/<uuid:case_id>/patient/merge/": {"accession": OTHER},
    f"{API}cases/<uuid:case_id>/specimen/": {"material": "blood"},
    f"{API}cases/<uuid:case_id>/analyser-count/": {"wbc": "7.2"},
    f"{API}cases/<uuid:case_id>/": {"priority": "urgent"},
    f"{API}readings/<int:reading_id>/remarks/": {
        "subject": "red_cells",
        "term": "schistocytes",
        "grade": "2+",
    },
    "cases/<uuid:case_id>/patient/merge/": {"accession": "nowhere"},
    "cases/<uuid:case_id>/specimen/": {"received_at": "no day"},
    "cases/of-patient/": {"mrn": PATIENT["mrn"]},
    "cases/new/": {"accession": ""},
    "cases/<uuid:case_id>/patient/": {"birth_date": "no day"},
}
SHOW_PATIENTS = {
    ("GET", f"{API}cases/"),
    ("GET", f"{API}cases/<uuid:case_id>/"),
    ("PATCH", f"{API}cases/<uuid:case_id>/"),
    ("POST", f"{API}cases/search/"),
    ("GET", f"{API}cases/<uuid:case_id>/patient/"),
    ("PATCH", f"{API}cases/<uuid:case_id>/patient/"),
    ("POST", f"{API}cases/<uuid:case_id>/patient/merge/"),
    ("POST", f"{API}cases/<uuid:case_id>/patient/split/"),
    ("GET", f"{API}cases/<uuid:case_id>/specimen/"),
    ("PATCH", f"{API}cases/<uuid:case_id>/specimen/"),
    ("GET", f"{API}readings/<int:reading_id>/cells/<int:cell_id>/"),
    ("GET", f"{API}readings/<int:reading_id>/remarks/"),
    ("POST", f"{API}readings/<int:reading_id>/remarks/"),
    ("GET", "worklist/"),
    ("GET", f"{API}cases/<uuid:case_id>/calls/"),
    ("GET", "cases/<uuid:case_id>/calls/"),
    ("POST", "cases/<uuid:case_id>/calls/<uuid:call_id>/log/"),
    ("POST", "cases/new/"),
    ("POST", "cases/of-patient/"),
    ("GET", "cases/<uuid:case_id>/"),
    ("GET", "cases/<uuid:case_id>/cells/<int:cell_id>/"),
    ("GET", "cases/<uuid:case_id>/checks/"),
    ("POST", "cases/<uuid:case_id>/rules/<uuid:rule_id>/answer/"),
    ("POST", "cases/<uuid:case_id>/second-reader/"),
    ("POST", "cases/<uuid:case_id>/second-reader/withdraw/"),
    ("GET", "cases/<uuid:case_id>/patient/"),
    ("POST", "cases/<uuid:case_id>/patient/merge/"),
    ("GET", "cases/<uuid:case_id>/specimen/"),
    ("POST", "cases/<uuid:case_id>/slides/"),
}
LISTS = {entry for entry in SHOW_PATIENTS if "<" not in entry[1]}


def make_known(place: Place) -> None:
    """Give the case of `place` a patient, whom nobody has looked at."""
    case = Case._base_manager.select_related("lab").get(id=place.case_id)
    with scope(lab=case.lab):
        change_identifiers(case, PATIENT)
        change_specimen(case, TEXTS)
        reading = Reading.objects.get(case=case, kind=Reading.Kind.FIRST)
        by = case.created_by
        make_remark(reading, subject="general", term=WORDS, words="As Quillfeather’s were", by=by)
        cell = Cell.objects.get(id=place.cell_id)
        decide(reading, [cell.id], "other", by=case.created_by, words="Like those of Quillfeather’s sister")
        call = CriticalCall.objects.get(id=place.call_id)
        log(call, by=case.created_by, outcome="not_reached", at=timezone.now(), whom="Dr Quillfeather")
        others: dict[str, dict[str, object]] = {
            "A-3": {"name": "Somebody else"},
            "A-4": {"mrn": PATIENT["mrn"]},
        }
        for accession, identifiers in others.items():  # one to merge with, one to be parted from
            create_case(case.lab, accession=accession, by=case.created_by, identifiers=identifiers)


@pytest.fixture(scope="package")  # those of a module run one after another: see tests/support/spread.py
def _patient(_furniture: Layer[Place], django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with layer("known", django_db_blocker, lambda: make_known(_furniture.bring())):
        yield


@pytest.fixture
def known(_patient: None, place: Place) -> Place:
    return place


def ask(client: Client, place: Place, method: str, route: str):
    cache.clear()
    path, body = path_of(route, place.addresses), SENT.get(route, {})
    if method == "GET":
        return client.get(path)
    if route.startswith(API):
        return client.generic(method, path, json.dumps(body), content_type="application/json")
    return client.post(path, body)


def shown(response) -> set[str]:
    body = response.getvalue() if response.streaming else response.content
    whole = body.decode(errors="replace") + str(response.headers)
    return {value for value in PLANTED if value in whole}


def names(entry: Entry, case_id: object) -> bool:
    return entry.subject_id == f"case {case_id}" or str(case_id) in (entry.after or {}).get("ids", [])


@each(ALL)
def test_whoever_is_shown_a_patient_is_on_record(alice, colleagues, known, route, method, needed):
    staff = colleagues[Role.TECHNICIAN]
    staff.membership.user.is_staff = True
    staff.membership.user.save()
    askers = [alice.browser, staff.browser, *([alice.api] if route.startswith(API) else [])]
    for client in askers:
        before = Entry.objects.filter(chain=alice.lab.id).count()
        with rolled_back():
            answer = ask(client, known, method, route)
            new = list(Entry.objects.filter(chain=alice.lab.id, seq__gt=before))
            found = shown(answer)
        assert bool(found) == ((method, route) in SHOW_PATIENTS), found
        if found:
            entries = [entry for entry in new if entry.action == "case.identifiers_shown"]
            assert any(names(entry, known.case_id) for entry in entries), [str(entry) for entry in new]
        if (method, route) in LISTS:
            assert not found & {"Splenectomy", *OF_SPECIMEN}


@each([entry for entry in ALL if entry[0].startswith(API) and isinstance(entry[2], Permission)])
def test_no_token_is_shown_a_patient_without_the_scope(alice, known, route, method, needed):
    """Whatever two scopes it has beside the one that the endpoint needs."""
    others = [permission for permission in IN_USE if permission is not needed]
    for other in others:
        scopes = {needed, other}
        _, secret = issue_token(alice.membership, "test", scopes=scopes)
        with rolled_back():
            answer = ask(Client(headers={"Authorization": f"Bearer {secret}"}), known, method, route)
            found = shown(answer)
        may_see = Permission.VIEW_IDENTIFIERS in scopes
        assert bool(found) == (may_see and (method, route) in SHOW_PATIENTS), scopes


def test_a_token_that_may_see_patients_alone_learns_nothing_else_of_their_cases(alice, known):
    _, secret = issue_token(alice.membership, "test", scopes=[Permission.VIEW_IDENTIFIERS])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    found = ask(client, known, "POST", f"{API}cases/search/").json()
    assert [set(case) for case in found] == [{"id", "patient"}] * 2


def test_what_a_token_may_only_enter_it_is_told_as_it_sent_it(alice, known):
    _, secret = issue_token(alice.membership, "test", scopes=[Permission.EDIT_IDENTIFIERS])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    answer = ask(client, known, "PATCH", f"{API}cases/<uuid:case_id>/patient/")
    assert answer.json() == {"sex": "female", "unreadable": []}


def test_the_table_names_what_shows_patients():
    assert {route for _, route in SHOW_PATIENTS} <= set(ENDPOINTS)
