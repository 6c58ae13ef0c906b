"""`/status/`: what works, for whoever uses it, in plain words.

Answered before anything asks the database who is there, so that it also works when nothing else does.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Min
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_scopes import scopes_disabled

from webapp.inference.models import Chunk
from webapp.operations import health
from webapp.outbox.deliveries import dead_letters
from webapp.outbox.queues import Queue

PATH = "/status/"


@dataclass(frozen=True)
class Work:
    """Something that people do here, and what they should know while it does not go."""

    name: Promise
    needs: tuple[str, ...]
    meanwhile: Promise


WORKS = (
    Work(
        _("Pages and signing in"),
        ("database",),
        _("Nothing can be opened or changed at the moment. What was there is safe."),
    ),
    Work(
        _("Uploading and looking at images"),
        ("database", "storage"),
        _("Images cannot be uploaded or shown. Those that were uploaded are safe."),
    ),
    Work(
        _("Classifying images"),
        ("database", "storage", "broker", "model"),
        _(
            "Uploaded images are kept. They are classified as soon as it works again; nobody has to do "
            "anything."
        ),
    ),
)


@dataclass(frozen=True)
class Status:
    """How things stand at a time: each of WORKS with whether it goes, since when images wait, and how many
    things were given up that should have followed from what happened."""

    at: datetime
    works: list[tuple[Work, bool]]
    waiting_since: datetime | None
    dead_events: int = 0

    @property
    def all_well(self) -> bool:
        return all(goes for _, goes in self.works) and not self.slow and not self.dead_events

    @property
    def slow(self) -> bool:
        """Whether images wait for longer than a person would expect."""
        patience = timedelta(seconds=settings.STATUS_SLOW_SECONDS)
        return self.waiting_since is not None and self.at - self.waiting_since > patience


class StatusPageMiddleware:
    """Answers PATH itself, and everything else as before."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._known: tuple[float, Status] | None = None

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path != PATH:
            return self.get_response(request)
        status = self._status()
        page = render_to_string("status.html", {"status": status})
        return HttpResponse(
            page, status=200 if status.works[0][1] else 503, headers={"Cache-Control": "no-store"}
        )

    def _status(self) -> Status:
        now = time.monotonic()
        if self._known is None or now - self._known[0] > settings.STATUS_KEPT_SECONDS:
            self._known = now, current()
        return self._known[1]


def current() -> Status:
    """Ask all services, now."""
    answers = health.services()
    works = [(work, all(answers[name] == health.OK for name in work.needs)) for work in WORKS]
    return Status(timezone.now(), works, _waiting_since(), _dead_events())


def _dead_events() -> int:
    try:
        return dead_letters().count()
    except DatabaseError:
        return 0


def _waiting_since() -> datetime | None:
    """Since when the oldest image waits that somebody at a screen waits for."""
    try:
        with scopes_disabled():
            waiting = Chunk.objects.filter(
                queue=Queue.INTERACTIVE, state__in=[Chunk.State.QUEUED, Chunk.State.RUNNING]
            )
            since: datetime | None = waiting.aggregate(since=Min("created_at"))["since"]
    except DatabaseError:
        return None
    return since
