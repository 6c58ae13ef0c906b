from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from serving.contract import MODEL_NAME
from webapp.labs.management.arguments import add_lab, lab_of
from webapp.registry import publishing
from webapp.registry.management.arguments import add_by


class Command(BaseCommand):
    help = _("Take the newest version of a model from the model servers; the one before answers again.")

    def add_arguments(self, parser: CommandParser) -> None:
        add_lab(parser, _("of this lab's own model: its name or id"))
        add_by(parser)
        parser.add_argument(
            "--to", type=int, metavar="N", help=_("withdraw every version newer than this one")
        )

    def handle(self, *args: Any, lab: str | None, by: str, to: int | None, **options: Any) -> None:
        try:
            done = publishing.roll_back(lab=lab_of(lab), by=by, to=to)
        except publishing.PublishingError as error:
            raise CommandError(str(error)) from error
        for version in done.withdrawn:
            self.stdout.write(
                _("Withdrew %(title)s, version %(version)s.")
                % {"title": version.title, "version": version.version}
            )
        if done.serving:
            self.stdout.write(_("Version %(version)s answers again.") % {"version": done.serving.version})
        else:
            self.stdout.write(_("The lab's images go to %(model)s again.") % {"model": MODEL_NAME})
