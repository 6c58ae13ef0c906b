"""The transactional outbox: tasks go from the database to the broker, at least once each.

`enqueue` is called inside the transaction that makes the work due; the relay calls `send_due`. If the broker
is down the entries wait here. If the relay dies between sending and committing, the entry is sent again, so
every task must be idempotent.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import connection, transaction
from django.db.models import Exists, Func, OuterRef, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from webapp.outbox.models import OutboxEntry
from webapp.outbox.queues import Queue
from webapp.telemetry import tracing
from webapp.telemetry.context import carried

CHANNEL = "outbox"  # PostgreSQL NOTIFY channel that wakes the relay on commit

# Labs take turns: within one call by `turn`, from call to call by who was served least recently, because the
# relay often has room for one only.
_FAIR_CHOICE = """
    SELECT entry.id
    FROM outbox_outboxentry AS entry
    JOIN (
        SELECT due.id, row_number() OVER (PARTITION BY due.lab_id ORDER BY due.id) AS turn, served.latest
        FROM outbox_outboxentry AS due
        LEFT JOIN (
            SELECT lab_id, max(sent_at) AS latest FROM outbox_outboxentry
            WHERE queue = %(queue)s AND sent_at IS NOT NULL GROUP BY lab_id
        ) AS served USING (lab_id)
        WHERE due.sent_at IS NULL AND due.queue = %(queue)s AND due.not_before <= clock_timestamp()
        ORDER BY turn, served.latest NULLS FIRST, due.id
        LIMIT %(room)s
    ) AS waiting USING (id)
    WHERE entry.sent_at IS NULL
    ORDER BY waiting.turn, waiting.latest NULLS FIRST, entry.id
    FOR UPDATE OF entry SKIP LOCKED
"""


def enqueue(
    lab_id: UUID, queue: Queue, task: str, subjects: Iterable[object], *, wait: timedelta = timedelta(0)
) -> None:
    """Have `task(lab, subject)` run once for each of `subjects`, after `wait`; nothing is sent unless the
    transaction commits."""
    due = timezone.now() + wait
    with tracing.message("create", queue, task):
        context = carried()
        entries = OutboxEntry.objects.bulk_create(
            OutboxEntry(
                lab_id=lab_id, queue=queue, task=task, args=[str(subject)], not_before=due, context=context
            )
            for subject in subjects
        )
        tracing.describe({"messaging.batch.message_count": len(entries)})
        _wake_relay()


@transaction.atomic
def send_due(queue: str, room: int, send: Callable[[OutboxEntry], None]) -> int:
    """Send up to `room` due entries of `queue`, labs taking turns; returns how many were sent.

    Anything `send` raises rolls the whole call back: the entries stay due.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FAIR_CHOICE, {"queue": queue, "room": room})
        ids = [row[0] for row in cursor.fetchall()]
    entries = OutboxEntry.objects.in_bulk(ids)
    for entry_id in ids:
        send(entries[entry_id])
    OutboxEntry.objects.filter(id__in=ids).update(sent_at=timezone.now())
    return len(ids)


def make_due(task: str) -> None:
    """Make deferred entries of `task` due now: what they waited for is back."""
    OutboxEntry.objects.filter(task=task, sent_at=None, not_before__gt=timezone.now()).update(
        not_before=timezone.now()
    )
    _wake_relay()


def move(task: str, subjects: Iterable[object], queue: Queue) -> set[str]:
    """Let entries of `task` that wait here be sent to another queue; returns for which of `subjects` there
    are any."""
    wanted = [[str(subject)] for subject in subjects]
    waiting = OutboxEntry.objects.filter(task=task, args__in=wanted, sent_at=None)
    ids = list(waiting.select_for_update().values_list("id", flat=True))
    OutboxEntry.objects.filter(id__in=ids).update(queue=queue)
    _wake_relay()
    return {args[0] for args in OutboxEntry.objects.filter(id__in=ids).values_list("args", flat=True)}


def is_enqueued(task: str) -> Exists:
    """Of a row that `task` is for: whether an entry for it waits here, to be sent to the broker."""
    subject = Func(
        Cast(OuterRef("pk"), TextField()),
        template="ARRAY[%(expressions)s]",
        output_field=ArrayField(TextField()),
    )
    return Exists(OutboxEntry.objects.filter(task=task, args=subject, sent_at=None))


def delete_sent(older_than: timedelta) -> int:
    """Delete entries sent longer ago than `older_than`; returns how many."""
    deleted, _ = OutboxEntry.objects.filter(sent_at__lt=timezone.now() - older_than).delete()
    return deleted


def _wake_relay() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
