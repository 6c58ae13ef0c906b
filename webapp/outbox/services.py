"""At-least-once hand-over of tasks from the database to the broker.

`enqueue` is called inside the transaction that makes the work due; the relay calls `send_due`. If the broker
is down the entries wait here; if the relay dies between sending and committing, the entry is sent again, so
every task must bear being delivered twice.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from webapp.outbox.models import OutboxEntry

CHANNEL = "outbox"  # PostgreSQL NOTIFY channel that wakes the relay on commit

_FAIR_CHOICE = """
    SELECT entry.id
    FROM outbox_outboxentry AS entry
    JOIN (
        SELECT id, row_number() OVER (PARTITION BY lab_id ORDER BY id) AS turn
        FROM outbox_outboxentry
        WHERE sent_at IS NULL AND queue = %s AND not_before <= clock_timestamp()
        ORDER BY turn, id
        LIMIT %s
    ) AS waiting USING (id)
    WHERE entry.sent_at IS NULL
    ORDER BY waiting.turn, entry.id
    FOR UPDATE OF entry SKIP LOCKED
"""


def enqueue(
    lab_id: UUID, queue: str, task: str, subjects: Iterable[object], *, wait: timedelta = timedelta(0)
) -> None:
    """Have `task(lab, subject)` run once for each of `subjects`, after `wait`; nothing is sent unless the
    transaction commits."""
    due = timezone.now() + wait
    OutboxEntry.objects.bulk_create(
        OutboxEntry(lab_id=lab_id, queue=queue, task=task, args=[str(subject)], not_before=due)
        for subject in subjects
    )
    _wake_relay()


@transaction.atomic
def send_due(queue: str, room: int, send: Callable[[OutboxEntry], None]) -> int:
    """Send up to `room` due entries of `queue`, labs taking turns; returns how many were sent.

    Anything `send` raises rolls the whole call back: the entries stay due.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FAIR_CHOICE, [queue, room])
        ids = [row[0] for row in cursor.fetchall()]
    entries = OutboxEntry.objects.in_bulk(ids)
    for entry_id in ids:
        send(entries[entry_id])
    OutboxEntry.objects.filter(id__in=ids).update(sent_at=timezone.now())
    return len(ids)


def hurry(task: str) -> None:
    """Have delayed entries of `task` sent now: what they waited for is back."""
    OutboxEntry.objects.filter(task=task, sent_at=None, not_before__gt=timezone.now()).update(
        not_before=timezone.now()
    )
    _wake_relay()


def forget_sent(older_than: timedelta) -> int:
    """Delete entries sent longer ago than `older_than`; returns how many."""
    deleted, _ = OutboxEntry.objects.filter(sent_at__lt=timezone.now() - older_than).delete()
    return deleted


def _wake_relay() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
