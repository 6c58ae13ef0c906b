"""Calls about critical results: when one is due, what is written down of it, and when it ends."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scope

from tests.support.pages import add_cells, cell_of
from tests.support.people import person
from tests.support.present import present
from tests.support.ranges import approved
from tests.support.results import now, ready, signed
from tests.support.review import decide
from webapp.audit.actions import Action
from webapp.audit.models import Entry
from webapp.cases.services import change_identifiers, merge
from webapp.labs.permissions import Role
from webapp.notifications.consumers import tell_of_call
from webapp.notifications.models import Kind, Notification
from webapp.outbox.deliveries import consume
from webapp.outbox.events import CallOverdue
from webapp.outbox.models import Delivery
from webapp.patients.services import PatientErased, erase
from webapp.results import calls
from webapp.results.amending import amend, void
from webapp.results.models import CallEntry, CriticalCall, Result
from webapp.review.models import Reading

pytestmark = pytest.mark.usefixtures("plain_static", "ranges")
Outcome = CallEntry.Outcome
TOLD = {"outcome": Outcome.READ_BACK, "whom": "Dr Quillfeather", "contact": "ward 3, 555-0199"}


@pytest.fixture
def ranges(lab, pat):
    """From 90 % on neutrophils are critical; those of `ready` are all neutrophils. The lab is the scope."""
    with scope(lab=lab):
        rows = {"cell_class": "neutrophil", "quantity": "percent", "low": Decimal(40), "high": Decimal(75)}
        approved(lab, pat.membership.user, rows | {"critical_high": Decimal(90)})
        yield


@pytest.fixture
def read_case(pat, ranges):
    case = ready(pat)
    change_identifiers(case, {"birth_date": date(1980, 5, 1)})
    return now(case)


def heard():
    """What was published reaches its consumers."""
    for delivery in list(Delivery.objects.order_by("id")):
        consume(delivery.pk)
    assert list(Delivery.objects.values_list("consumer", "error")) == []


@pytest.fixture
def call(pat, read_case):
    """About the signed case; somebody is to be told."""
    signed(read_case, pat)
    heard()
    return calls.calls().get()


def log(one, by, **values):
    given: dict[str, Any] = {**TOLD, "at": timezone.now()} | values
    return calls.log(one, by=by.membership.user, **given)


def more(pat, case, cell_class, n=1):
    """So many more cells, decided."""
    reading = Reading.objects.select_related("case__lab", "lab").get(case=case)
    cells = [cell_of(image).id for image in add_cells(pat, case, cell_class, *[0.9] * n)]
    decide(reading, cells, cell_class, by=pat.membership.user)


def test_a_critical_result_asks_for_a_call_once(pat, read_case):
    signature = signed(read_case, pat)
    heard()
    calls.note_signed(read_case, signature.result_id)  # told again
    one = calls.calls().get()
    assert (one.since, one.due_at, one.is_open, one.is_overdue) == (signature.at, None, True, False)
    values = calls.critical_values(one.result)
    assert [(value.cell_class, value.percent, value.flags) for value in values] == [
        ("neutrophil", Decimal("100.00"), ("HH",))
    ]


def test_a_result_that_is_not_critical_asks_for_none(pat, read_case):
    more(pat, read_case, "lymphocyte")
    signed(read_case, pat)  # 75 %
    heard()
    assert not calls.calls().exists()


def test_it_is_due_by_the_limit_that_the_lab_had_when_it_was_signed(pat, read_case, lab):
    calls.change_limit(lab, 30)
    signature = signed(read_case, pat)
    heard()
    calls.change_limit(lab, 60)
    one = calls.calls().get()
    assert one.due_at == signature.at + timedelta(minutes=30)
    assert not one.is_overdue
    CriticalCall.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert calls.calls().get().is_overdue
    assert list(calls.overdue(calls.open_calls())) == [one]
    changes = Entry.objects.filter(action=Action.CRITICAL_CALLS_SET).order_by("seq")
    assert [(entry.before, entry.after) for entry in changes] == [
        ({"minutes": None}, {"minutes": 30}),
        ({"minutes": 30}, {"minutes": 60}),
    ]


def test_who_was_told_and_read_it_back_ends_it(pat, quinn, call):
    log(call, pat, outcome=Outcome.NOT_REACHED, whom="Ward 3", contact="")
    log(call, pat, outcome=Outcome.TOLD)
    assert calls.calls().get().is_open  # until it was read back
    log(call, quinn)
    ended = calls.calls().get()
    assert (ended.ending, list(calls.open_calls()), list(calls.ended_calls())) == ("done", [], [call])
    entries = calls.entries_shown(call.case, [call], texts=True)[call.id]
    assert [(said.entry.outcome, said.whom, said.contact) for said in entries] == [
        ("not_reached", "Ward 3", ""),
        ("told", TOLD["whom"], TOLD["contact"]),
        ("read_back", TOLD["whom"], TOLD["contact"]),
    ]
    kept = Entry.objects.filter(action=Action.CALL_LOGGED).order_by("seq")
    assert [present(entry.after)["outcome"] for entry in kept] == [
        "not reached",
        "told, not read back",
        "told, and read back",
    ]
    assert not any("Quillfeather" in str(entry.after) for entry in kept)
    with pytest.raises(calls.CallEnded):
        log(call, pat)
    assert CallEntry.objects.count() == 3


@pytest.mark.parametrize("at", [-timedelta(hours=1), timedelta(minutes=5)])
def test_a_time_at_which_it_cannot_have_been(pat, call, at):
    when = (call.since if at < timedelta() else timezone.now()) + at
    with pytest.raises(calls.WrongTime):
        log(call, pat, at=when)
    assert not CallEntry.objects.exists()


def test_the_next_version_asks_anew_where_it_is_critical(pat, call):
    amend(now(call.case), pat.membership, version=1, reason="One cell more.")
    heard()
    assert calls.calls().get().is_open  # the first holds until the next is signed
    more(pat, call.case, "neutrophil")
    signed(call.case, pat)
    heard()
    first, second = calls.calls().order_by("since")
    assert (first.ending, second.is_open, second.result.version) == ("amended", True, 2)


def test_a_next_version_that_becomes_critical_asks_and_one_that_is_not_ends_it(pat, call):
    amend(now(call.case), pat.membership, version=1, reason="One was forgotten.")
    more(pat, call.case, "lymphocyte")
    signed(call.case, pat)  # 75 %
    heard()
    assert calls.calls().get().ending == "amended"
    amend(now(call.case), pat.membership, version=2, reason="Others were forgotten.")
    more(pat, call.case, "neutrophil", 7)
    signed(call.case, pat)  # 10 of 11
    heard()
    assert [one.result.version for one in calls.open_calls()] == [3]
    log(calls.open_calls().get(), pat)
    amend(now(call.case), pat.membership, version=3, reason="Look again.")
    more(pat, call.case, "lymphocyte", 9)
    signed(call.case, pat)
    heard()
    assert [one.ending for one in calls.ended_calls()] == ["done", "amended"]  # what was done stays so


def test_void_ends_it(pat, call):
    void(now(call.case), pat.membership, version=1, reason="Another patient's.")
    heard()
    assert calls.calls().get().ending == "void"
    calls.note_signed(call.case, call.result_id)  # heard late
    assert not calls.open_calls().exists()


def test_people_are_told_once_that_it_is_overdue(pat, call, lab):
    colleague = person(lab, "Quentin", Role.PATHOLOGIST)
    CriticalCall.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    Delivery.objects.all().delete()
    assert (calls.find_overdue(), calls.find_overdue()) == (1, 0)
    heard()
    told = Notification.objects.filter(kind=Kind.CALL_OVERDUE)
    assert [one.recipient for one in told] == [pat.membership]  # who signed
    assert told.get().case_id == call.case_id
    assert colleague.membership not in [one.recipient for one in told]
    inbox = pat.browser.get("/notifications/").content.decode()
    assert f"/cases/{call.case_id}/calls/" in inbox


def test_nobody_is_told_of_a_call_that_was_made_meanwhile(pat, call):
    log(call, pat)
    tell_of_call(CallOverdue(call.lab_id, call.case_id, call.id))
    assert not Notification.objects.filter(kind=Kind.CALL_OVERDUE).exists()
    CriticalCall.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    assert calls.find_overdue() == 0


def test_what_was_written_down_lies_under_the_patients_key(pat, call):
    entry = log(call, pat, outcome=Outcome.NOT_REACHED)
    with connection.cursor() as cursor:
        cursor.execute("SELECT whom, contact FROM results_callentry")
        assert not any(b"Quill" in bytes(value) or b"555" in bytes(value) for value in cursor.fetchone())
    other = ready(pat, "B-1", mrn="9999")
    merge(other, now(call.case))  # under the key of another person now
    again = CallEntry.objects.select_related("call__result__case__patient__key").get(id=entry.id)
    assert again.whom == TOLD["whom"]
    erase(present(now(call.case).patient))
    texts = calls.entries_shown(now(call.case), [call], texts=True)[call.id]
    assert [(said.whom, said.entry.outcome) for said in texts] == [(None, "not_reached")]
    with pytest.raises(PatientErased):
        log(call, pat)


@pytest.mark.parametrize(
    "change", ["UPDATE results_callentry SET outcome = 'read_back'", "DELETE FROM results_callentry"]
)
def test_the_database_keeps_what_was_written_down(pat, call, change):
    log(call, pat, outcome=Outcome.NOT_REACHED)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)


# --- pages and API ------------------------------------------------------------------------------------------


def test_by_the_pages(pat, call):
    page = pat.browser.get("/critical/").content.decode()
    assert call.case.accession in page
    assert "100.0 %" in page
    case = f"/cases/{call.case_id}/"
    assert "somebody is to be told" in pat.browser.get(case).content.decode()
    at = timezone.localtime().strftime("%Y-%m-%dT%H:%M")
    sent = {"whom": "Dr Quillfeather", "contact": "555-0199", "at": at, "outcome": ""}
    answer = pat.browser.post(f"{case}calls/{call.id}/log/", sent)
    assert (answer.status_code, CallEntry.objects.exists()) == (422, False)
    answer = pat.browser.post(f"{case}calls/{call.id}/log/", sent | {"outcome": "read_back"}, follow=True)
    body = answer.content.decode()
    assert "The call is done" in body
    assert "Dr Quillfeather" in body
    assert "somebody is to be told" not in pat.browser.get(case).content.decode()
    assert call.case.accession in pat.browser.get("/critical/?state=ended").content.decode()
    assert pat.browser.post(f"{case}calls/{call.id}/log/", sent | {"outcome": "told"}).status_code == 409


def test_by_the_api(pat, call):
    listed = pat.api.read("/critical-calls/").json()["results"]
    assert [(one["accession"], one["is_overdue"], one["ending"]) for one in listed] == [("A-1", False, "")]
    assert listed[0]["values"] == [
        {"class": "neutrophil", "count": 3, "percent": "100.00", "absolute": None, "flags": ["HH"]}
    ]
    path = f"/critical-calls/{call.id}/log/"
    body = {"outcome": "told", "whom": " Dr  Quillfeather ", "at": timezone.now().isoformat()}
    answer = pat.api.send(path, body)
    assert answer.status_code == 201
    assert [one["whom"] for one in answer.json()["entries"]] == ["Dr Quillfeather"]
    wrong = pat.api.send(path, body | {"at": "2020-01-01T00:00:00Z", "outcome": "read_back"})
    assert (wrong.status_code, list(wrong.json()["error"]["fields"])) == (400, ["at"])
    assert pat.api.send(path, body | {"outcome": "read_back"}).status_code == 201
    again = pat.api.send(path, body)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "call_ended")
    assert pat.api.read("/critical-calls/").json()["results"] == []
    assert len(pat.api.read("/critical-calls/", state="ended").json()["results"]) == 1
    assert pat.api.read("/critical-calls/", state="none").status_code == 400


def test_who_may_not_see_the_patient_sees_no_names_and_who_may_not_decide_logs_nothing(pat, call, lab):
    log(call, pat, outcome=Outcome.NOT_REACHED)
    sue = person(lab, "Sue", Role.SUPERVISOR)
    found = sue.api.read(f"/cases/{call.case_id}/calls/").json()
    assert [(one["outcome"], one["whom"]) for one in found[0]["entries"]] == [("not_reached", None)]
    page = sue.browser.get(f"/cases/{call.case_id}/calls/").content.decode()
    assert "Quillfeather" not in page
    assert "Not reached" in page
    assert "<form method" not in page.partition("<main")[2]
    body = {"outcome": "told", "whom": "X", "at": timezone.now().isoformat()}
    assert sue.api.send(f"/critical-calls/{call.id}/log/", body).status_code == 403


def test_another_labs_call_is_not_there(call, charlie):
    outsider = person(charlie.lab, "Out", Role.PATHOLOGIST)
    body = {"outcome": "told", "whom": "X", "at": timezone.now().isoformat()}
    assert outsider.api.send(f"/critical-calls/{call.id}/log/", body).status_code == 404
    assert outsider.api.read("/critical-calls/").json()["results"] == []
    assert outsider.browser.get(f"/cases/{call.case_id}/calls/").status_code == 404


def test_the_list_costs_the_same_for_one_and_for_many(pat, call):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert pat.browser.get("/critical/").status_code == 200
        return len(captured)

    queries()
    one = queries()
    for number in range(5):
        case = ready(pat, f"M-{number}", mrn=f"M{number}")
        case = now(case)
        result = present(Result.objects.get(case=call.case_id))
        CriticalCall.objects.create(
            lab=pat.lab,
            case=case,
            since=timezone.now(),
            result=Result.objects.create(
                lab=pat.lab,
                case=case,
                reading=Reading.objects.get(case=case),
                revision=1,
                version=1,
                document=result.document,
                sha256=result.sha256,
                status=Result.Status.FINAL,
            ),
        )
    assert queries() == one


def test_the_lab_sets_its_limit(lab):
    admin = person(lab, "Ada", Role.ADMIN)
    assert admin.browser.post("/lab/critical-calls/change/", {"minutes": "0"}).status_code == 422
    assert admin.browser.post("/lab/critical-calls/change/", {"minutes": "abc"}).status_code == 422
    assert admin.browser.post("/lab/critical-calls/change/", {"minutes": "45"}).status_code == 302
    lab.refresh_from_db()
    assert lab.critical_call_minutes == 45
    assert 'value="45"' in admin.browser.get("/lab/settings/").content.decode()
    admin.browser.post("/lab/critical-calls/change/", {"minutes": ""})
    lab.refresh_from_db()
    assert lab.critical_call_minutes is None
