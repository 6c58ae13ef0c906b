from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from webapp.outbox import deliveries


class Command(BaseCommand):
    help = _("List events that a consumer could not be told of, or requeue them.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--requeue", action="store_true", help=_("try them again, from the first attempt")
        )
        parser.add_argument("--consumer", default="", help=_("those of this one alone"))

    def handle(self, *args: Any, requeue: bool, consumer: str, **options: Any) -> None:
        if requeue:
            self.stdout.write(_("Requeued: %(n)s.") % {"n": deliveries.requeue(consumer)})
            return
        found = deliveries.dead_letters()
        for dead in found.filter(consumer=consumer) if consumer else found:
            since = f"{dead.created_at:%Y-%m-%d %H:%M}"
            self.stdout.write(
                _("%(since)s %(consumer)s lab %(lab_id)s %(event)s: %(error)s")
                % {
                    "since": since,
                    "consumer": dead.consumer,
                    "lab_id": dead.lab_id,
                    "event": dead.event,
                    "error": dead.why,
                }
            )
