from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webapp.results.verification import Verified, verify_all


class Command(BaseCommand):
    help = _(
        "Hold every signed result against its signatures and the audit trail; fails where one was altered."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        progress, findings = Verified(), 0
        for finding in verify_all(progress):
            findings += 1
            self.stdout.write(
                _("case %(case)s (%(accession)s) of lab %(lab)s: %(problem)s")
                % {
                    "case": finding.case,
                    "accession": finding.accession,
                    "lab": finding.lab,
                    "problem": finding.problem,
                }
            )
        if findings:
            text = ngettext("%(n)s finding.", "%(n)s findings.", findings)
            raise CommandError(text % {"n": findings})
        text = ngettext("%(n)s signed result is whole.", "%(n)s signed results are whole.", progress.results)
        self.stdout.write(text % {"n": progress.results})
