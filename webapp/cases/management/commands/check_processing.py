from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django_scopes import scopes_disabled

from webapp.cases.processing import lock, settle, unsettled


class Command(BaseCommand):
    help = "Find cases whose stored state of processing disagrees with their images; fails if there are any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="store what the images say, and succeed")

    def handle(self, *args: Any, repair: bool, **options: Any) -> None:
        with scopes_disabled():
            found = list(unsettled().values_list("id", "lab_id", "processing", "by_images"))
            for case_id, lab_id, stored, by_images in found:
                self.stdout.write(f"case {case_id} of lab {lab_id}: stored as {stored}, is {by_images}")
                if repair:
                    with transaction.atomic():
                        lock(case_id)
                        settle(case_id)
        if found and not repair:
            raise CommandError(f"{len(found)} cases disagree with their images. Repair them: --repair.")
        self.stdout.write(f"{len(found)} cases repaired." if found else "Every case agrees with its images.")
