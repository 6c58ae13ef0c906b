from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webapp.audit.actions import Action
from webapp.audit.chain import COLUMNS, INSTALLATION
from webapp.audit.models import Entry

BATCH = 5000
OUT_OF_ORDER = 1000  # entries that a clock which was set back may have put before their time
DAY = timedelta(days=1)

# One look into the index for each person, not one for each entry (a "loose index scan").
_PEOPLE = """
    WITH RECURSIVE people AS (
        (SELECT actor_id FROM audit_entry WHERE chain = %(chain)s AND actor_id IS NOT NULL
         ORDER BY actor_id LIMIT 1)
        UNION ALL
        SELECT (SELECT actor_id FROM audit_entry WHERE chain = %(chain)s AND actor_id > people.actor_id
                ORDER BY actor_id LIMIT 1)
        FROM people WHERE actor_id IS NOT NULL
    )
    SELECT actor_id, latest.actor_name
    FROM people, LATERAL (
        SELECT actor_name FROM audit_entry
        WHERE chain = %(chain)s AND actor_id = people.actor_id ORDER BY seq DESC LIMIT 1
    ) AS latest
    ORDER BY lower(latest.actor_name), actor_id
"""


@dataclass(frozen=True)
class Filters:
    """What somebody wants to see of a chain; what is None or empty does not matter.

    Attributes:
        actor: a person's id; 0: nobody who has signed in (the product, commands, strangers).
        subject: what was acted on, as the entry calls it or by its id (`case <uuid>`). Entries that name many
            cases are found by each of them.
        since, until: days in the time zone of whoever asks, both included.
    """

    actor: int | None = None
    action: str = ""
    subject: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class TrailState:
    """What was done for the trail as a whole, and for what it tells of.

    Attributes:
        begun_at: when the installation's chain begins (None: nothing has happened yet).
        anchored_at, verified_at, backed_up_at: the last time (None: never).
        whole: whether the trail was whole when it was last verified.
    """

    begun_at: datetime | None
    anchored_at: datetime | None
    verified_at: datetime | None
    whole: bool
    backed_up_at: datetime | None


NOBODY = {0: _("The product, commands, strangers")}  # as `Filters.actor`


def entries(chain: UUID, filters: Filters) -> QuerySet[Entry]:
    """A chain's entries, newest first."""
    found = Entry.objects.filter(chain=chain).order_by("-seq")
    if filters.actor is not None:
        found = found.filter(actor_id=filters.actor or None)
    if filters.action:
        found = found.filter(action=filters.action)
    if filters.subject:
        found = found.filter(_about(filters.subject))
    # Places beside times: the entries of a day long past are found without reading all that came after it.
    if filters.since:
        begin = _midnight(filters.since)
        first = Subquery(Entry.objects.filter(chain=chain, at__gte=begin).order_by("at").values("seq")[:1])
        found = found.filter(at__gte=begin, seq__gte=first - OUT_OF_ORDER)
    if filters.until:
        end = _midnight(min(filters.until, date.max - DAY) + DAY)
        last = Subquery(Entry.objects.filter(chain=chain, at__lt=end).order_by("-at").values("seq")[:1])
        found = found.filter(at__lt=end, seq__lte=last + OUT_OF_ORDER)
    return found


def subjects_since(chain: UUID, actions: Collection[Action], moment: datetime) -> list[str]:
    """What was acted on in a chain since then, once for each entry of one of `actions`."""
    found = Entry.objects.filter(chain=chain, at__gte=moment, action__in=actions)
    return list(found.order_by().values_list("subject", flat=True))


def people(chain: UUID) -> list[tuple[int, str]]:
    """Id and latest name of everybody who has an entry in a chain, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, {"chain": chain})
        return [(actor, name) for actor, name in cursor.fetchall()]


def trail_state() -> TrailState:
    """What was last recorded of the whole trail."""
    installation = Entry.objects.filter(chain=INSTALLATION)
    first = installation.order_by("seq").first()
    anchored, verified, broken, backup = (
        installation.filter(action=action).order_by("-seq").first()
        for action in (
            Action.AUDIT_ANCHORED,
            Action.AUDIT_VERIFIED,
            Action.AUDIT_BROKEN,
            Action.BACKUP_MADE,
        )
    )
    last = max(filter(None, (verified, broken)), key=lambda check: check.seq, default=None)
    return TrailState(
        begun_at=first.at if first else None,
        anchored_at=anchored.at if anchored else None,
        verified_at=last.at if last else None,
        whole=last is not None and last is verified,
        backed_up_at=backup.at if backup else None,
    )


def in_order(found: QuerySet[Entry]) -> Iterator[dict[str, Any]]:
    """The columns of one chain's entries, oldest first, read a batch at a time: neither memory nor a
    transaction grows with the chain."""
    rows = found.order_by("seq").values(*COLUMNS, "hash")
    last = -1
    while batch := list(rows.filter(seq__gt=last)[:BATCH]):
        yield from batch
        last = batch[-1]["seq"]


def _about(subject: str) -> Q:
    shown = Q(action=Action.IDENTIFIERS_SHOWN)
    return (
        Q(subject=subject)
        | Q(subject_id=subject)
        | shown & Q(after__contains={"accessions": [subject]})
        | shown & Q(after__contains={"ids": [subject.removeprefix("case ")]})
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.get_current_timezone())
