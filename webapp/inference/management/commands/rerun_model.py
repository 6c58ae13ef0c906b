from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webapp.cases.identifiers import normal_accession
from webapp.cases.selectors import open_cases
from webapp.inference.rerun import NothingAnswers, rerun_each
from webapp.labs.management.arguments import add_lab, lab_of
from webapp.registry.management.arguments import add_by


class Command(BaseCommand):
    help = _("Have the version that is live say again what the cells of open cases are.")

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--case", metavar="ACCESSION", help=_("this case"))
        which.add_argument(
            "--since", metavar="DATE", type=_day, help=_("those made on that day (UTC) or later")
        )
        add_lab(parser, _("of this lab alone: its name or id"))
        add_by(parser)

    def handle(
        self, *args: Any, case: str | None, since: datetime | None, lab: str | None, by: str, **options: Any
    ) -> None:
        chosen = lab_of(lab)
        cases = open_cases(chosen, accession=normal_accession(case or ""), since=since)
        if case and not cases:
            raise CommandError(_("There is no open case %(case)r.") % {"case": case})
        if case and len(cases) > 1:
            raise CommandError(_("Several labs have a case %(case)r. Say of which: --lab.") % {"case": case})
        images = 0
        try:
            for done in rerun_each(cases, by=by):
                images += done.images
                self.stdout.write(
                    ngettext(
                        "%(accession)s: %(n)s image to %(model)s, version %(version)s.",
                        "%(accession)s: %(n)s images to %(model)s, version %(version)s.",
                        done.images,
                    )
                    % {
                        "accession": done.case.accession,
                        "n": done.images,
                        "model": done.version.title,
                        "version": done.version.version,
                    }
                )
        except NothingAnswers:
            raise CommandError(_("No version of the model is published. Publish one first.")) from None
        self.stdout.write(
            ngettext(
                "%(n)s image of %(cases)s is asked of again, in the background.",
                "%(n)s images of %(cases)s are asked of again, in the background.",
                images,
            )
            % {
                "n": images,
                "cases": ngettext("%(n)s case", "%(n)s cases", len(cases)) % {"n": len(cases)},
            }
        )


def _day(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), UTC)
