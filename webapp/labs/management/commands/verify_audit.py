from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webapp.audit.chain import INSTALLATION
from webapp.audit.verification import Verified, verify, verify_all
from webapp.labs.management.arguments import add_lab, lab_of
from webapp.labs.models import Lab
from webapp.storage.objects import StorageUnavailable


class Command(BaseCommand):
    help = _(
        "Check every audit chain, and its anchors in the object store. Exit codes: 1 somebody "
        "changed entries, each is named; 2 it could not be checked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_lab(parser, _("check this lab's chain alone: its name or id"))

    def handle(self, *args: Any, lab: str | None, **options: Any) -> None:
        wanted = lab_of(lab)
        names = {INSTALLATION: _("the installation"), **{one.id: one.name for one in Lab.objects.all()}}
        found, progress = 0, Verified()
        try:
            for finding in verify(wanted.id, progress) if wanted else verify_all(progress):
                found += 1
                name = names.get(finding.chain, _("a lab that is no more (%(id)s)") % {"id": finding.chain})
                self.stdout.write(
                    _("%(name)s: entry %(seq)s %(problem)s")
                    % {"name": name, "seq": finding.seq, "problem": finding.problem}
                )
        except StorageUnavailable as error:
            raise CommandError(
                _("The object store did not list the anchors: %(error)s") % {"error": error}, returncode=2
            ) from error
        checked = _("%(entries)s in %(chains)s, %(anchors)s") % {
            "entries": ngettext("%(n)s entry", "%(n)s entries", progress.entries) % {"n": progress.entries},
            "chains": ngettext("%(n)s chain", "%(n)s chains", progress.chains) % {"n": progress.chains},
            "anchors": ngettext("%(n)s anchor", "%(n)s anchors", progress.anchors) % {"n": progress.anchors},
        }
        if found:
            raise CommandError(
                _("The audit trail was tampered with (%(checked)s checked).") % {"checked": checked}
            )
        self.stdout.write(_("The audit trail is whole: %(checked)s.") % {"checked": checked})
