"""The lab's audit trail as a file of any length, made apart from the web process."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Max, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from webapp.audit import selectors
from webapp.audit.actions import Action
from webapp.audit.export import Format, csv_lines
from webapp.audit.models import Entry
from webapp.audit.selectors import Filters
from webapp.audit.services import record
from webapp.jobs.kinds import Kind, Piece, register
from webapp.jobs.models import Job
from webapp.labs.locales import locale_of
from webapp.labs.permissions import Permission

_FILTERS = ("actor", "action", "subject", "since", "until")


def check(given: Mapping[str, Any]) -> dict[str, Any]:
    """The filters of the trail's page, as JSON has them; what is empty is left out."""
    kept = {name: value for name, value in given.items() if value not in (None, "")}
    actor = kept.get("actor", 0)
    if isinstance(actor, str) and actor.isascii() and actor.isdigit() and len(actor) < 20:
        actor = kept["actor"] = int(actor)  # of a form
    if isinstance(actor, bool) or not isinstance(actor, int) or not 0 <= actor < 2**63:
        raise ValueError(_("`actor` is a person’s id, or 0."))
    if kept.get("action", Action.AUDIT_EXPORTED) not in Action.values:
        raise ValueError(_("There is no such `action`."))
    subject = kept.get("subject", "")
    if not isinstance(subject, str) or len(subject) > 254 or not subject.isprintable():
        raise ValueError(_("`subject` is a line of 254 characters at most."))
    for name in ("since", "until"):
        if name in kept:
            try:
                kept[name] = date.fromisoformat(kept[name]).isoformat()
            except (TypeError, ValueError):
                raise ValueError(_("`%(name)s` is a day, as 2026-01-31.") % {"name": name}) from None
    return kept


def started(job: Job) -> None:
    record(Action.AUDIT_EXPORTED, lab=job.lab_id, after={"format": Format.CSV.value, **job.parameters})


def said(jobs: Sequence[Job]) -> dict[UUID, list[tuple[str, str]]]:
    """The filters as the trail's page has them."""
    of_somebody = next((job for job in jobs if "actor" in job.parameters), None)
    people = dict(selectors.people(of_somebody.lab_id)) if of_somebody else {}
    return {job.id: list(_words(job.parameters, {**people, **selectors.NOBODY})) for job in jobs}


def _words(given: Mapping[str, Any], people: Mapping[int, Any]) -> Iterator[tuple[str, str]]:
    if "actor" in given:
        yield pgettext("did it", "Who"), str(people.get(given["actor"], given["actor"]))
    if "action" in given:
        action = Action(given["action"])
        yield pgettext("happened", "What"), f"{action.area_name}: {action.verb}"
    if "subject" in given:
        yield _("Of what"), given["subject"]
    for name, label in (("since", pgettext("a day", "From")), ("until", pgettext("a day", "To"))):
        if name in given:
            yield label, date_format(date.fromisoformat(given[name]))


def audit_csv(job: Job) -> Piece:
    """The next entries, oldest first, up to the last that there was when the first piece was done."""
    with locale_of(job.lab):
        found = _entries(job)
        at = job.cursor or {
            "after": 0,
            "last": found.aggregate(last=Max("seq"))["last"] or 0,
            "total": found.count(),
        }
        rows = selectors.in_order(found.filter(seq__gt=at["after"], seq__lte=at["last"]))
        data, done, after = bytearray(), job.done, at["after"]
        if job.cursor is None:
            data += "".join(csv_lines([])).encode()
        for row in rows:
            data += "".join(csv_lines([row], heading=False)).encode()
            done, after = done + 1, row["seq"]
            if len(data) >= settings.JOB_PIECE_BYTES:
                break
    more = after < at["last"]
    return Piece(bytes(data), done, at["total"], cursor={**at, "after": after} if more else None)


def _entries(job: Job) -> QuerySet[Entry]:
    given = dict(job.parameters)
    for name in ("since", "until"):
        if name in given:
            given[name] = date.fromisoformat(given[name])
    return selectors.entries(job.lab_id, Filters(**given))


register(
    Kind(
        name="audit_csv",
        label=gettext_lazy("Audit trail, CSV"),
        needs=Permission.VIEW_AUDIT,
        media_type="text/csv; charset=utf-8",
        file_name="audit.csv",
        run=audit_csv,
        takes=_FILTERS,
        check=check,
        started=started,
        said=said,
    )
)
