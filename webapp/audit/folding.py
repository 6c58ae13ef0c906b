"""Folding: denials, failed sign-ins and readings are too many to record each time.

The cache counts them. Without the cache each is recorded: a gap in the trail is worse than a long trail.
"""

from collections.abc import Mapping
from hashlib import sha256
from uuid import UUID

import structlog
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from webapp.audit.actions import Action
from webapp.audit.context import Actor, current_actor, current_origin
from webapp.audit.services import record

log = structlog.get_logger(__name__)


def record_denial(
    action: Action, *, lab: UUID | None, subject: str, subject_id: str = "", actor: Actor | None = None
) -> None:
    """Record that somebody was denied a page or a permission, or failed to sign in.

    The same denial of the same person (where nobody has signed in: of the same address) is kept the first
    time in a minute, and then the 10th, the 100th and so on, saying how often it was. So are those beyond
    AUDIT_DENIALS_OF_ONE and AUDIT_DENIALS_OF_ALL. Each is logged.

    Args:
        action: one that has a companion named `<action>_again`.
        subject: what was denied. For a sign-in an e-mail address that exists, or words: people type
            passwords where the address belongs.
    """
    who = actor or current_actor()
    log.info("denied", action=action.value, subject=subject, actor=who.id)
    by = str(who.id or current_origin().address)
    bounds = [
        (("same", lab, by, action, subject), 1),
        (("actor", lab, by), settings.AUDIT_DENIALS_OF_ONE),
        (("all", lab), settings.AUDIT_DENIALS_OF_ALL),
    ]
    times = 1
    for key, kept in bounds:
        count = _count(_key(*key), settings.AUDIT_DENIALS_SECONDS)
        if count > kept:
            if not _is_power_of_ten(count):
                return
            times = count
    if times == 1:
        record(action, lab=lab, subject=subject, subject_id=subject_id, actor=actor)
    else:
        again = Action(f"{action.value}_again")
        record(again, lab=lab, subject=subject, subject_id=subject_id, after={"times": times}, actor=actor)


def record_reading(action: Action, *, lab: UUID, subject: str, subject_id: str) -> None:
    """Record that somebody looks at something: once an hour for each person, token and subject."""
    who = current_actor()
    key = _key("reading", lab, who.id, who.token, action, subject_id)
    if not _first(key, settings.AUDIT_READINGS_SECONDS):
        return
    try:
        record(action, lab=lab, subject=subject, subject_id=subject_id)
    except BaseException:
        cache.delete(key)
        raise


def record_shown(action: Action, *, lab: UUID, cases: Mapping[UUID, str]) -> None:
    """Record that somebody was shown something of many cases at once, each once an hour for each person and
    token: one entry names all that were not named within the hour, however many pages they stood on.

    Args:
        cases: their accession numbers by id.
    """
    who = current_actor()
    keys = {case: _key("shown", lab, who.id, who.token, action, case) for case in cases}
    named = cache.get_many(keys.values())
    shown = {case: accession for case, accession in cases.items() if keys[case] not in named}
    if not shown:
        return
    after = {"cases": len(shown), "accessions": list(shown.values()), "ids": list(shown)}
    record(action, lab=lab, after=after)
    # Not before it is there: two entries are better than none.
    cache.set_many({keys[case]: 1 for case in shown}, settings.AUDIT_READINGS_SECONDS)


def _first(key: str, seconds: int) -> bool:
    try:
        return cache.add(key, 1, seconds)
    except RedisError as error:
        log.warning("readings cannot be counted; each is recorded", error=repr(error))
        return True


def _count(key: str, seconds: int) -> int:
    """How many there were within `seconds` of the first, this one included."""
    try:
        return 1 if cache.add(key, 1, seconds) else cache.incr(key)
    except ValueError:  # it ran out since
        return 1
    except RedisError as error:
        log.warning("denials cannot be counted; each is recorded", error=repr(error))
        return 1


def _is_power_of_ten(count: int) -> bool:
    return str(count).strip("0") == "1"


def _key(*parts: object) -> str:
    return "audit-" + sha256("\0".join(map(str, parts)).encode()).hexdigest()
