"""Metrics of the installation as a whole: measured at each scrape, served by the relay alone."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, Min
from django.utils import timezone
from django_scopes import scopes_disabled
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from webapp.audit.selectors import trail_state
from webapp.cases.models import UNFINISHED, Case
from webapp.crypto.keyring import current_key_age
from webapp.inference.models import Chunk
from webapp.jobs.models import Job
from webapp.mail.models import Message
from webapp.operations import certificates, health
from webapp.outbox.events import CONSUMERS
from webapp.outbox.models import Delivery, OutboxEntry
from webapp.outbox.queues import CHUNKS, Queue
from webapp.results import calls
from webapp.results.models import CriticalCall

log = structlog.get_logger(__name__)


class InstallationMetrics(Collector):
    """`installation_metrics`, in a thread of Prometheus's server, with a database connection of its own."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            yield from installation_metrics()
        finally:
            connection.close()


def installation_metrics() -> Iterator[GaugeMetricFamily]:
    """What cannot be measured is left out; `hematovision_service_up` shows which service is at fault."""
    answers = health.services()
    yield _services(answers)
    parts = (
        ("database", _waiting),
        ("database", _events),
        ("broker", _broker),
        ("database", _mail),
        ("database", _trail),
        ("", _keys),
        ("", _certificates),
    )
    for needs, part in parts:
        # A service that hangs was waited for once already, and Prometheus gives up after ten seconds.
        if answers.get(needs, health.OK) != health.OK:
            continue
        try:
            yield from part()
        except (DatabaseError, redis.RedisError) as error:
            log.warning("metric cannot be measured", part=part.__name__, error=repr(error))


def _gauge(
    name: str, help_text: str, values: Iterable[tuple[str, float]], label: str = ""
) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"hematovision_{name}", help_text, labels=[label] if label else [])
    for value_of, value in values:
        gauge.add_metric([value_of] if label else [], value)
    return gauge


def _age(name: str, help_text: str, since: datetime | None) -> GaugeMetricFamily:
    return _gauge(name, help_text, [("", (timezone.now() - since).total_seconds())] if since else [])


def _services(answers: Mapping[str, str]) -> GaugeMetricFamily:
    up = [(name, float(answer == health.OK)) for name, answer in answers.items()]
    return _gauge("service_up", "Whether a service answers.", up, "service")


def _waiting() -> Iterator[GaugeMetricFamily]:
    now = timezone.now()
    due = OutboxEntry.objects.filter(sent_at=None, not_before__lte=now)
    tasks = {row["queue"]: row["n"] for row in due.values("queue").annotate(n=Count("id"))}
    with scopes_disabled():
        open_ones = Chunk.objects.filter(state__in=[Chunk.State.QUEUED, Chunk.State.RUNNING]).order_by()
        chunks = {
            row["queue"]: row
            for row in open_ones.values("queue").annotate(n=Count("id"), since=Min("created_at"))
        }
        dead = Chunk.objects.filter(state=Chunk.State.DEAD).count()
        overdue = Case.objects.filter(UNFINISHED, due_at__lt=now).count()
        untold = calls.overdue(CriticalCall.objects.all()).count()
        jobs = Job.objects.filter(state__in=Job.OPEN).aggregate(n=Count("id"), since=Min("created_at"))
    ages = {queue: (now - row["since"]).total_seconds() for queue, row in chunks.items()}
    yield _gauge(
        "outbox_waiting", "Tasks in the outbox that are due.", _each(lambda q: tasks.get(q, 0)), "queue"
    )
    yield _gauge(
        "chunks_waiting",
        "Chunks not done.",
        _each(lambda q: chunks[q]["n"] if q in chunks else 0, CHUNKS),
        "queue",
    )
    yield _gauge(
        "images_waiting_oldest_seconds",
        "How long images wait.",
        _each(lambda q: ages.get(q, 0), CHUNKS),
        "queue",
    )
    yield _gauge("dead_letters", "Chunks that are dead letters, which wait for a person.", [("", dead)])

    yield _gauge("cases_overdue", "Cases that are overdue by their labs' turnaround.", [("", overdue)])
    yield _gauge(
        "critical_calls_overdue",
        "Calls about critical results that are overdue by their labs' limits.",
        [("", untold)],
    )
    yield _gauge("jobs_open", "Jobs that wait or run.", [("", jobs["n"])])
    oldest = (now - jobs["since"]).total_seconds() if jobs["n"] else 0
    yield _gauge("jobs_open_oldest_seconds", "Since the oldest of them was asked for.", [("", oldest)])


def _events() -> Iterator[GaugeMetricFamily]:
    counted = (
        Delivery.objects.order_by()
        .values("consumer", "state")
        .annotate(n=Count("id"), since=Min("created_at"))
    )
    rows = {(row["consumer"], row["state"]): row for row in counted}
    consumers = sorted({*CONSUMERS, *(consumer for consumer, _ in rows)})
    now = timezone.now()

    def of(state: Delivery.State, value: Callable[[Mapping[str, Any]], float]) -> list[tuple[str, float]]:
        return [(name, value(row) if (row := rows.get((name, state))) else 0) for name in consumers]

    waiting, dead = Delivery.State.WAITING, Delivery.State.DEAD
    yield _gauge("events_waiting", "Events on their way.", of(waiting, lambda row: row["n"]), "consumer")
    yield _gauge(
        "events_waiting_oldest_seconds",
        "How long events are on their way.",
        of(waiting, lambda row: (now - row["since"]).total_seconds()),
        "consumer",
    )
    yield _gauge(
        "events_dead_letters", "Events that are dead letters.", of(dead, lambda row: row["n"]), "consumer"
    )


def _each(value: Callable[[Queue], float], queues: Iterable[Queue] = Queue) -> list[tuple[str, float]]:
    return [(queue.value, value(queue)) for queue in queues]


def _broker() -> Iterator[GaugeMetricFamily]:
    with health.broker() as broker:
        lengths = _each(lambda queue: float(broker.llen(queue)))
    yield _gauge("broker_waiting", "Tasks in the broker.", lengths, "queue")


def _mail() -> Iterator[GaugeMetricFamily]:
    waiting = Message.objects.aggregate(n=Count("id"), since=Min("created_at"))
    seconds = (timezone.now() - waiting["since"]).total_seconds() if waiting["n"] else 0
    yield _gauge("mail_waiting", "Messages not yet handed to the mail server.", [("", waiting["n"])])
    yield _gauge("mail_waiting_oldest_seconds", "How long messages wait.", [("", seconds)])


def _trail() -> Iterator[GaugeMetricFamily]:
    state = trail_state()
    # What was never done is as old as the installation: no alert waits for a first time that never comes.
    yield _age("audit_anchor_age_seconds", "Since it was anchored.", state.anchored_at or state.begun_at)
    yield _age("audit_verified_age_seconds", "Since it was verified.", state.verified_at or state.begun_at)
    if state.verified_at:
        yield _gauge("audit_whole", "Whether it was whole then.", [("", float(state.whole))])
    yield _age("backup_age_seconds", "Since `hematovision backup` made one.", state.backed_up_at)


def _keys() -> Iterator[GaugeMetricFamily]:
    yield _gauge(
        "data_key_age_seconds", "Of the current data key.", [("", current_key_age().total_seconds())]
    )


def _certificates() -> Iterator[GaugeMetricFamily]:
    names = settings.WATCHED_CERTIFICATES
    with ThreadPoolExecutor() as pool:  # those that hang are waited for at once
        answers = zip(names, pool.map(certificates.remaining, names), strict=True)
        left = [(name, seconds) for name, seconds in answers if seconds is not None]
    yield _gauge("certificate_remaining_seconds", "Until a certificate ends.", left, "certificate")
