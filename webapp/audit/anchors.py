"""Heads of chains, kept outside the database: what is rewritten in it no longer fits them.

An anchor is an object in the locked bucket. Its key says all, so that reading them is one listing.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from webapp.audit.actions import Action
from webapp.audit.chain import INSTALLATION
from webapp.audit.services import record
from webapp.storage import locked

PREFIX = "audit/"
_TIME = "%Y%m%dT%H%M%SZ"
_KEY = re.compile(PREFIX + r"([0-9a-f-]{36})/(\d{8}T\d{6}Z)-(\d+)-([0-9a-f]{64})\.json")

# One row of the index for each chain, not one for each entry (a "loose index scan").
_HEADS = """
    WITH RECURSIVE chains AS (
        (SELECT chain FROM audit_entry ORDER BY chain LIMIT 1)
        UNION ALL
        SELECT (SELECT chain FROM audit_entry WHERE chain > chains.chain ORDER BY chain LIMIT 1)
        FROM chains WHERE chain IS NOT NULL
    )
    SELECT chain, head.seq, head.hash
    FROM chains, LATERAL (
        SELECT seq, hash FROM audit_entry WHERE chain = chains.chain ORDER BY seq DESC LIMIT 1
    ) AS head
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Anchor:
    """The newest entry of a chain as it was at a time."""

    chain: UUID
    seq: int
    hash: bytes
    at: datetime

    @property
    def key(self) -> str:
        return f"{PREFIX}{self.chain}/{self.at.strftime(_TIME)}-{self.seq}-{self.hash.hex()}.json"

    @property
    def document(self) -> dict[str, object]:
        return {
            "chain": str(self.chain),
            "seq": self.seq,
            "hash": self.hash.hex(),
            "at": self.at.isoformat(),
        }


def heads() -> dict[UUID, tuple[int, bytes]]:
    """The newest entry of each chain: its place and its hash."""
    with connection.cursor() as cursor:
        cursor.execute(_HEADS)
        return {chain: (seq, bytes(head)) for chain, seq, head in cursor.fetchall()}


def anchor() -> list[Anchor]:
    """Write every chain's head to the locked bucket and to the log, and record that it was done.

    The installation's chain comes last, because this record is in it.

    Raises:
        StorageUnavailable: the store did not take them.
    """
    now = timezone.now().replace(microsecond=0)
    made = [_write(Anchor(lab, *head, now)) for lab, head in heads().items() if lab != INSTALLATION]
    with transaction.atomic():
        record(Action.AUDIT_ANCHORED, lab=None)
        made.append(_write(Anchor(INSTALLATION, *heads()[INSTALLATION], now)))
    return made


def _write(one: Anchor) -> Anchor:
    until = one.at + timedelta(days=settings.AUDIT_ANCHOR_DAYS)
    taken = locked.put(one.key, json.dumps(one.document).encode(), until=until)
    log.info("audit chain anchored", **one.document, locked=taken)
    return one


def anchors(chain: UUID | None = None) -> Iterator[Anchor]:
    """All anchors, or those of one chain, by chain and time.

    Raises:
        StorageUnavailable: the store did not list them.
    """
    for key in locked.keys(f"{PREFIX}{chain}/" if chain else PREFIX):
        if found := _KEY.fullmatch(key):
            owner, at, seq, head = found.groups()
            when = datetime.strptime(at, _TIME).replace(tzinfo=UTC)
            yield Anchor(UUID(owner), int(seq), bytes.fromhex(head), when)
