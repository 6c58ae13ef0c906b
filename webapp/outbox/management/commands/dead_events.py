from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from webapp.outbox import deliveries


class Command(BaseCommand):
    help = "List events that a consumer could not be told of, or requeue them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--requeue", action="store_true", help="try them again, from the first attempt")
        parser.add_argument("--consumer", default="", help="those of this one alone")

    def handle(self, *args: Any, requeue: bool, consumer: str, **options: Any) -> None:
        if requeue:
            self.stdout.write(f"Requeued: {deliveries.requeue(consumer)}.")
            return
        found = deliveries.dead_letters()
        for dead in found.filter(consumer=consumer) if consumer else found:
            since = f"{dead.created_at:%Y-%m-%d %H:%M}"
            self.stdout.write(f"{since} {dead.consumer} lab {dead.lab_id} {dead.event}: {dead.error}")
