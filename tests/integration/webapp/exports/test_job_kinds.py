"""The audit trail as a job: all of it up to when it was begun, in pieces, as the streamed export has it."""

import csv
import io

import pytest
from django.utils import timezone
from django_scopes import scope

from tests.support.people import person
from webapp.audit.actions import Action
from webapp.audit.export import csv_lines
from webapp.audit.models import Entry
from webapp.audit.selectors import Filters, entries, in_order
from webapp.audit.services import record
from webapp.jobs import services
from webapp.jobs.kinds import KINDS
from webapp.jobs.results import download
from webapp.labs.permissions import Role

KIND = KINDS["audit_csv"]


@pytest.fixture
def admin(alice):
    found = person(alice.lab, "Dora", Role.ADMIN)
    with scope(lab=alice.lab):
        yield found


def whole(admin, parameters, *, between=lambda: None) -> tuple[str, int]:
    """What the file says, and of how many pieces it was made."""
    job = services.start(admin.membership, KIND, parameters)
    pieces = 0
    while job.is_open:
        services.run_piece(job.id)
        between()
        job.refresh_from_db()
        pieces += 1
    return download(job).getvalue().decode(), pieces


def test_it_is_what_the_streamed_export_says(admin):
    found, pieces = whole(admin, {})
    assert pieces == 1
    assert found == "".join(csv_lines(in_order(entries(admin.lab.id, Filters()))))
    last = list(csv.DictReader(io.StringIO(found)))[-1]
    assert last["action"] == Action.AUDIT_EXPORTED  # that it was asked for


def test_a_long_trail_comes_in_pieces_and_ends_where_it_was_begun(admin, settings):
    for number in range(40):
        record(Action.CASE_OPENED, lab=admin.lab.id, subject=f"N-{number}" + "x" * 200)
    until = Entry.objects.filter(chain=admin.lab.id).count() + 1
    settings.JOB_PIECE_BYTES = 5 * 1024
    found, pieces = whole(
        admin, {}, between=lambda: record(Action.CASE_OPENED, lab=admin.lab.id, subject="later")
    )
    assert pieces > 3
    rows = list(csv.DictReader(io.StringIO(found)))
    assert [int(row["seq"]) for row in rows] == list(range(1, until + 1))


def test_filters_and_days_are_those_of_the_page(admin):
    record(Action.CASE_OPENED, lab=admin.lab.id, subject="N-1")
    today = timezone.now().date().isoformat()
    found, _ = whole(admin, {"action": "case.opened", "since": today, "actor": "", "subject": "N-1"})
    assert [row["subject"] for row in csv.DictReader(io.StringIO(found))] == ["N-1"]
    found, _ = whole(admin, {"actor": str(10**9)})  # as a form has it
    assert list(csv.DictReader(io.StringIO(found))) == []
