from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_scopes import scope

from webapp.cases.processing import lock, settle, unsettled


class Command(BaseCommand):
    help = _(
        "Find cases whose stored state of processing disagrees with their images; fails if there are any."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help=_("store what the images say, and succeed"))

    def handle(self, *args: Any, repair: bool, **options: Any) -> None:
        found = list(unsettled())
        for one in found:
            self.stdout.write(
                _("case %(case)s of lab %(lab)s: stored as %(stored)s, is %(by_images)s")
                % {"case": one.case, "lab": one.lab, "stored": one.stored, "by_images": one.by_images}
            )
            if repair:
                with scope(lab=one.lab), transaction.atomic():
                    lock(one.case)
                    settle(one.case)
        if found and not repair:
            raise CommandError(
                ngettext(
                    "%(n)s case disagrees with its images. Repair it: --repair.",
                    "%(n)s cases disagree with their images. Repair them: --repair.",
                    len(found),
                )
                % {"n": len(found)}
            )
        self.stdout.write(
            ngettext("%(n)s case repaired.", "%(n)s cases repaired.", len(found)) % {"n": len(found)}
            if found
            else _("Every case agrees with its images.")
        )
