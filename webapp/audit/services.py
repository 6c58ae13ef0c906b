"""Keeping things on record."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.utils import translation
from django.utils.functional import Promise

from webapp.audit.actions import Action
from webapp.audit.chain import INSTALLATION, NOTHING_BEFORE, hash_of, plain, text
from webapp.audit.context import Actor, current_actor, current_origin
from webapp.audit.models import Entry

# A statement of its own: the next one sees what was committed while this one waited.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('audit ' || %s, 0))"
_HEAD = """
    SELECT clock_timestamp(), head.seq, head.hash
    FROM (SELECT) AS one
    LEFT JOIN (SELECT seq, hash FROM audit_entry WHERE chain = %s ORDER BY seq DESC LIMIT 1) AS head ON true
"""


def record(
    action: Action,
    *,
    lab: UUID | None,
    subject: "str | Promise" = "",
    subject_id: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    actor: Actor | None = None,
) -> None:
    """Put an entry at the end of a lab's chain, or of the installation's (`lab=None`).

    It is written in the caller's transaction, so it is there if and only if the deed is. Others who record
    for the same lab wait until that transaction ends, so call it late in a long one.

    Args:
        subject: what was acted on, as people call it; it stands in the action's sentence.
        subject_id: which one exactly, `case <uuid>` or `user <id>`.
        before, after: what changed, by field. Never a patient's data: name the field, not its value.
        actor: who did it, where that is not whom the request, task or command names.
    """
    chain = lab or INSTALLATION
    who, whence = actor or current_actor(), current_origin()
    # Labels are kept as they are written: an entry does not depend on the language of whoever did it.
    with transaction.atomic(), translation.override(None):
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [str(chain)])
            cursor.execute(_HEAD, [chain])
            at, seq, head = cursor.fetchone()
        entry = Entry(
            chain=chain,
            seq=(seq or 0) + 1,
            previous=bytes(head) if head else NOTHING_BEFORE,
            at=at,
            action=action.value,
            actor_id=who.id,
            actor_name=text(who.name, 254),
            token=text(who.token, 16),
            address=text(whence.address, 45),
            user_agent=text(whence.user_agent, 120),
            request_id=text(structlog.contextvars.get_contextvars().get("request", ""), 64),
            subject=text(str(subject), 254),
            subject_id=text(subject_id, 80),
            before=None if before is None else plain(before),
            after=None if after is None else plain(after),
        )
        entry.hash = hash_of(vars(entry))
        entry.save(force_insert=True)
