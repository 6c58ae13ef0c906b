"""Jobs on a real database and store: piece by piece, killed, cancelled, failing, expired."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from tests.support.people import person
from webapp.backup.objects import _named as named_in_backups
from webapp.jobs import selectors, services
from webapp.jobs.kinds import KINDS, Kind, Piece
from webapp.jobs.models import Job
from webapp.jobs.results import download
from webapp.labs import services as labs
from webapp.labs.permissions import Permission, Role
from webapp.outbox.events import Event
from webapp.outbox.models import OutboxEntry
from webapp.outbox.queues import Queue
from webapp.storage import objects

PARTS = [b"aa", b"bb", b"c"]


def counting(job: Job) -> Piece:
    """Three pieces."""
    place = job.cursor or 0
    last = place == len(PARTS) - 1
    return Piece(PARTS[place], place + 1, len(PARTS), None if last else place + 1)


@pytest.fixture
def kind(monkeypatch):
    kind = Kind(
        "counting",
        "Counting",
        Permission.VIEW_CASES,
        "text/plain",
        "n.txt",
        counting,
        (),
        dict,
        lambda job: None,
    )
    monkeypatch.setitem(KINDS, kind.name, kind)
    return kind


@pytest.fixture
def published(monkeypatch):
    told: list[Event] = []
    monkeypatch.setattr(services, "publish", told.append)
    return told


@pytest.fixture
def job(alice, kind, published):
    with scope(lab=alice.lab):
        yield services.start(alice.membership, kind, {})


def work(job: Job) -> int:
    """What workers do until nothing is due; returns in how many tasks."""
    tasks = 0
    while OutboxEntry.objects.filter(task=services.RUN_PIECE, sent_at=None).update(sent_at=timezone.now()):
        services.run_piece(job.id)
        tasks += 1
        assert tasks < 20
    job.refresh_from_db()
    return tasks


def result(job: Job) -> bytes:
    whole: bytes = download(job).getvalue()
    return whole


def test_a_job_is_done_in_pieces_and_its_owner_fetches_the_result(alice, job, published):
    assert OutboxEntry.objects.get(task=services.RUN_PIECE).queue == Queue.JOBS
    assert work(job) == 3
    assert (job.state, job.done, job.total) == (Job.State.DONE, 3, 3)
    assert result(job) == b"".join(PARTS)
    assert [(event.job, event.done) for event in published] == [(job.id, True)]
    assert selectors.can_fetch(alice.membership, job)
    services.run_piece(job.id)  # a second message
    assert len(published) == 1


def test_a_killed_worker_costs_one_piece(alice, job, kind, monkeypatch):
    services.run_piece(job.id)

    def dies(job: Job) -> Piece:
        raise SystemExit

    monkeypatch.setitem(KINDS, kind.name, Kind(**{**vars(kind), "run": dies}))
    with pytest.raises(SystemExit):
        services.run_piece(job.id)
    monkeypatch.setitem(KINDS, kind.name, kind)
    job.refresh_from_db()
    assert (job.done, job.attempts, job.state) == (1, 1, Job.State.RUNNING)
    OutboxEntry.objects.all().delete()  # and its message is gone
    assert services.recover_lost() == 0
    Job.objects.update(due_at=timezone.now() - timedelta(days=1))
    assert services.recover_lost() == 1
    assert services.recover_lost() == 0
    assert work(job) == 2
    assert job.state == Job.State.DONE
    assert result(job) == b"".join(PARTS)


def test_what_an_attempt_wrote_and_could_not_say_is_written_over(alice, job, monkeypatch):
    services.run_piece(job.id)
    put = objects.put

    def put_and_die(key: str, body: bytes, content_type: str) -> None:
        put(key, body, content_type)
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(objects, "put", put_and_die)
        services.run_piece(job.id)
    job.refresh_from_db()
    assert (job.state, job.parts) == (Job.State.RUNNING, 1)
    work(job)
    assert result(job) == b"".join(PARTS)


@pytest.mark.parametrize("end", [Job.State.DONE, Job.State.CANCELLED])
def test_a_second_message_does_not_take_up_again_what_ended_meanwhile(job, published, monkeypatch, end):
    """Between the look at a job and the work on it nobody holds it: another worker may end it there."""
    look = services._reason_to_end

    def looked(found: Job):
        monkeypatch.setattr(services, "_reason_to_end", look)
        reason = look(found)
        if end == Job.State.CANCELLED:
            services.cancel(job)
        work(job)
        return reason

    monkeypatch.setattr(services, "_reason_to_end", looked)
    services.run_piece(job.id)
    job.refresh_from_db()
    assert job.state == end
    assert len(published) == (end == Job.State.DONE)
    if end == Job.State.DONE:
        assert result(job) == b"".join(PARTS)


def test_one_that_keeps_failing_fails_and_says_so(alice, job, kind, published, settings, monkeypatch):
    settings.JOB_MAX_ATTEMPTS = 3

    def fails(job: Job) -> Piece:
        raise ValueError

    services.run_piece(job.id)
    monkeypatch.setitem(KINDS, kind.name, Kind(**{**vars(kind), "run": fails}))
    assert work(job) == 4
    assert (job.state, job.result_key) == (Job.State.FAILED, "")
    assert "several times" in job.error
    assert [event.done for event in published] == [False]
    assert not selectors.can_fetch(alice.membership, job)


def test_a_retry_backs_off(alice, job, kind, monkeypatch):
    def fails(job: Job) -> Piece:
        raise ValueError

    OutboxEntry.objects.all().delete()
    monkeypatch.setitem(KINDS, kind.name, Kind(**{**vars(kind), "run": fails}))
    services.run_piece(job.id)
    assert OutboxEntry.objects.get().not_before > timezone.now()


def test_its_owner_cancels_it(alice, job):
    services.run_piece(job.id)
    services.cancel(job)
    work(job)
    assert (job.state, job.error) == (Job.State.CANCELLED, "You cancelled it.")
    services.cancel(job)
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (labs.remove, "Its owner is no longer a member of the lab."),
        (labs.deactivate, "Its owner is deactivated."),
        (
            lambda member: labs.change_role(member, Role.CLINICIAN),
            "The role of its owner no longer allows it.",
        ),
    ],
)
def test_without_its_owner_it_is_cancelled_and_says_why(alice, job, change, why):
    services.run_piece(job.id)
    change(alice.membership)
    work(job)
    assert (job.state, job.error, job.result_key) == (Job.State.CANCELLED, why, "")


def test_others_do_not_see_it(alice, charlie, job):
    colleague = person(alice.lab, "Dora", Role.ADMIN)
    assert selectors.job_of(alice.membership, job.id) == job
    assert selectors.job_of(colleague.membership, job.id) is None
    with scope(lab=charlie.lab):
        assert selectors.job_of(charlie.membership, job.id) is None


def test_few_at_a_time(alice, job, kind, settings):
    for _ in range(settings.JOBS_OPEN_OF_ONE - 1):
        services.start(alice.membership, kind, {})
    with pytest.raises(services.TooManyJobs, match="Wait for one"):
        services.start(alice.membership, kind, {})
    with pytest.raises(ValueError, match="no other here"):
        services.start(alice.membership, kind, {"other": 1})


def test_a_result_expires_with_all_its_versions(alice, job, settings):
    work(job)
    key = job.part_keys[0]
    objects.put(key, b"written over", "text/plain")
    assert services.delete_expired() == 0
    Job.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with scopes_disabled():
        assert services.delete_expired() == 1
    job.refresh_from_db()
    assert (job.state, job.result_key) == (Job.State.EXPIRED, "")
    with pytest.raises(objects.ObjectMissing):
        objects.get(key)
    assert not selectors.can_fetch(alice.membership, job)
    Job.objects.update(finished_at=timezone.now() - timedelta(days=settings.JOB_KEPT_DAYS + 1))
    assert services.delete_expired() == 0
    assert not Job.objects.exists()


def test_a_backup_holds_results(job):
    work(job)
    assert len(job.part_keys) == 3
    assert {(key, "", False) for key in job.part_keys} <= set(named_in_backups())
