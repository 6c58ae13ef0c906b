"""What holds for every task: whose it is, when it ends, who begins it."""

import pytest
from celery import Task
from django.conf import settings

from webapp.outbox.queues import LIMITS, WORKERS, Queue
from workers.celery import LabTask, app

TIMERS = app.conf.beat_schedule


def ours() -> "dict[str, Task[..., object]]":
    app.loader.import_default_modules()
    return {name: task for name, task in app.tasks.items() if not name.startswith(("celery.", "test_"))}


@pytest.mark.parametrize("name", TIMERS)
def test_a_timer_begins_a_task_there_is_and_what_it_begins_expires(name):
    assert TIMERS[name]["task"] in ours()
    assert 0 < TIMERS[name]["options"]["expires"] <= settings.NIGHTLY_TASK_EXPIRES_SECONDS


def test_a_task_is_a_labs_or_a_timers():
    """The relay sends a lab's id first: a task that is not of a lab would take it for its subject."""
    by_timer = {timer["task"] for timer in TIMERS.values()}
    tasks = ours()
    assert by_timer < tasks.keys()
    for name, task in tasks.items():
        assert isinstance(task, LabTask) != (name in by_timer), name


def test_tasks_have_the_limits_of_their_queue():
    for name, queue in {
        "classify_chunk": Queue.BULK,
        "consume": Queue.EVENTS,
        "run_piece": Queue.JOBS,
    }.items():
        task, limits = ours()[name], LIMITS[queue]
        soft = task.soft_time_limit or app.conf.task_soft_time_limit
        hard = task.time_limit or app.conf.task_time_limit
        assert (soft, hard) == (limits.soft_seconds, limits.hard_seconds), name


def test_every_queue_has_limits_and_one_worker():
    assert set(LIMITS) == set(Queue)
    assert sorted(queue for worker in WORKERS.values() for queue in worker.queues) == sorted(Queue)
    assert all(
        0 < limits.soft_seconds < limits.hard_seconds and limits.depth > 0 for limits in LIMITS.values()
    )


def test_a_task_ends_before_the_broker_hands_it_out_again():
    for name, task in ours().items():
        soft = task.soft_time_limit or settings.TASK_SOFT_TIME_LIMIT_SECONDS
        hard = task.time_limit or settings.TASK_TIME_LIMIT_SECONDS
        assert soft < hard < settings.BROKER_VISIBILITY_TIMEOUT_SECONDS, name
