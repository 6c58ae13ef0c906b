"""What is measured of the installation as a whole."""

import datetime as dt

import pytest
from django.utils import timezone
from django_scopes import scope

from tests.support.results import called_about, ready
from tests.support.tls import certificate
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.models import Case
from webapp.inference.models import Chunk
from webapp.jobs.models import Job
from webapp.operations.metrics import installation_metrics
from webapp.outbox.models import Delivery
from webapp.outbox.queues import Queue
from webapp.results.models import CriticalCall
from webapp.review.models import Reading
from webapp.worklist.turnaround import change_turnaround

DAY = dt.timedelta(days=1)


def told() -> dict[tuple[str, str], float]:
    return {
        (sample.name.removeprefix("hematovision_"), "".join(sample.labels.values())): sample.value
        for family in installation_metrics()
        for sample in family.samples
    }


def test_the_state_of_queues_trail_and_keys(alice, model, settings, tmp_path):
    case = alice.case()
    with scope(lab=alice.lab):
        Chunk.objects.create(lab=alice.lab, case=case, queue=Queue.INTERACTIVE)
        Chunk.objects.create(lab=alice.lab, case=case, queue=Queue.BULK, state=Chunk.State.DEAD)
    record(Action.AUDIT_ANCHORED, lab=None)
    record(Action.AUDIT_VERIFIED, lab=None)
    path = certificate(tmp_path / "web.pem", ends=20 * DAY)
    settings.WATCHED_CERTIFICATES = [path, "127.0.0.1:1"]
    now = told()
    assert {now["service_up", name] for name in ("database", "storage", "broker", "model")} == {1}
    assert (now["chunks_waiting", "interactive"], now["chunks_waiting", "bulk"]) == (1, 0)
    assert 0 <= now["images_waiting_oldest_seconds", "interactive"] < 60
    assert now["dead_letters", ""] == 1
    assert (now["outbox_waiting", "bulk"], now["broker_waiting", "bulk"]) == (0, 0)
    assert 0 <= now["audit_anchor_age_seconds", ""] < 60
    assert ("backup_age_seconds", "") not in now
    assert (now["audit_whole", ""], now["audit_verified_age_seconds", ""] < 60) == (1, True)
    assert now["data_key_age_seconds", ""] >= 0
    assert 19 * 86400 < now["certificate_remaining_seconds", path] < 20 * 86400
    assert ("certificate_remaining_seconds", "127.0.0.1:1") not in now  # it is away, which others tell
    record(Action.AUDIT_BROKEN, lab=None)
    record(Action.BACKUP_MADE, lab=None, subject="a", after={"objects": 1})
    now = told()
    assert now["audit_whole", ""] == 0
    assert 0 <= now["backup_age_seconds", ""] < 60


def test_a_trail_that_was_never_anchored_is_as_old_as_the_installation(db, monkeypatch):
    assert ("audit_anchor_age_seconds", "") not in told()
    record(Action.SIGNED_IN, lab=None)
    later = timezone.now() + 3 * DAY
    monkeypatch.setattr(timezone, "now", lambda: later)
    now = told()
    assert now["audit_anchor_age_seconds", ""] == pytest.approx(3 * 86400, abs=60)
    assert now["audit_verified_age_seconds", ""] == pytest.approx(3 * 86400, abs=60)
    assert ("audit_whole", "") not in now


def test_without_the_broker_the_rest_is_told(db, settings):
    settings.BROKER_URL = "redis://127.0.0.1:1/0"
    now = told()
    assert now["service_up", "broker"] == 0
    assert ("broker_waiting", "bulk") not in now
    assert now["dead_letters", ""] == 0


def test_events_and_jobs_that_wait(alice):
    consumer = "notifications.tell_of_case"
    now = told()
    assert (now["events_waiting", consumer], now["events_dead_letters", consumer]) == (0, 0)
    assert (now["jobs_open", ""], now["jobs_open_oldest_seconds", ""]) == (0, 0)
    hour_ago = timezone.now() - dt.timedelta(hours=1)
    for state in (Delivery.State.WAITING, Delivery.State.DEAD, Delivery.State.DEAD):
        Delivery.objects.create(lab=alice.lab, consumer=consumer, event={}, state=state, created_at=hour_ago)
    with scope(lab=alice.lab):
        for name in (Job.State.QUEUED, Job.State.RUNNING, Job.State.DONE):
            Job.objects.create(lab=alice.lab, owner=alice.membership.user, kind="k", state=name)
        Job.objects.filter(state=Job.State.RUNNING).update(created_at=hour_ago)
    now = told()
    assert (now["events_waiting", consumer], now["events_dead_letters", consumer]) == (1, 2)
    assert now["events_waiting_oldest_seconds", consumer] == pytest.approx(3600, abs=60)
    assert now["events_waiting", "notifications.tell_of_job"] == 0
    assert now["jobs_open", ""] == 2
    assert now["jobs_open_oldest_seconds", ""] == pytest.approx(3600, abs=60)


def test_cases_that_are_overdue(alice):
    assert told()["cases_overdue", ""] == 0
    with scope(lab=alice.lab):
        change_turnaround(alice.lab, stat=1, urgent=1, routine=1)
        for case in (alice.case("A-1"), alice.case("A-2")):
            Case.objects.filter(id=case.id).update(created_at=timezone.now() - dt.timedelta(hours=2))
        Case.objects.filter(accession="A-2").update(review="signed")
    assert told()["cases_overdue", ""] == 1


def test_calls_about_critical_results_that_are_overdue(alice):
    """As long as nobody was told, of results whose lab set a time."""
    assert told()["critical_calls_overdue", ""] == 0
    hour_ago = timezone.now() - dt.timedelta(hours=1)
    with scope(lab=alice.lab):
        for accession in ("A-1", "A-2", "A-3"):
            case = ready(alice, accession)
            called_about(case, Reading.objects.select_related("lab", "case").get(case=case))
        CriticalCall.objects.exclude(case__accession="A-3").update(due_at=hour_ago)
        CriticalCall.objects.filter(case__accession="A-2").update(ended_at=hour_ago, ending="done")
    assert told()["critical_calls_overdue", ""] == 1
