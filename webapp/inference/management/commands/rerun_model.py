from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

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
        add_lab(parser, "of this lab alone")
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
                model = f"{done.version.title}, version {done.version.version}"
                self.stdout.write(
                    _("%(accession)s: %(images)s to %(model)s.")
                    % {"accession": done.case.accession, "images": _counted(done.images), "model": model}
                )
        except NothingAnswers:
            raise CommandError(_("No version of the model is published. Publish one first.")) from None
        self.stdout.write(
            _("%(images)s of %(count)s cases are asked of again, in the background.")
            % {"images": _counted(images), "count": len(cases)}
        )


def _counted(images: int) -> str:
    return f"{images} image{'' if images == 1 else 's'}"


def _day(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), UTC)
