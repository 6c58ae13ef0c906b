from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from serving.contract import ModelFolderError
from webapp.labs.management.arguments import add_lab, lab_of
from webapp.registry import publishing
from webapp.registry.management.arguments import add_by


class Command(BaseCommand):
    help = _("Check a model version's folder, register it, and give a copy of it to the model servers.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        add_lab(parser, _("publish it as this lab's own model: its name or id"))
        add_by(parser)
        number = parser.add_mutually_exclusive_group()
        number.add_argument("--as-next", action="store_true", help=_("give it the next free number"))
        number.add_argument(
            "--if-newer", action="store_true", help=_("do nothing if its number is known here")
        )

    def handle(self, *args: Any, folder: Path, lab: str | None, by: str, **options: Any) -> None:
        try:
            version = publishing.publish(folder.resolve(), lab=lab_of(lab), by=by, as_next=options["as_next"])
        except publishing.NumberTakenError as error:
            if options["if_newer"]:
                return
            raise CommandError(str(error)) from error
        except (ModelFolderError, publishing.PublishingError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            _("Published %(title)s, version %(version)s.")
            % {"title": version.title, "version": version.version}
        )
