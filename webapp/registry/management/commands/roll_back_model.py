from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from serving.contract import MODEL_NAME
from webapp.labs.management.arguments import add_lab, lab_of
from webapp.registry import publishing
from webapp.registry.management.arguments import add_by


class Command(BaseCommand):
    help = "Take the newest version of a model from the model servers; the one before answers again."

    def add_arguments(self, parser: CommandParser) -> None:
        add_lab(parser, "of this lab's own model")
        add_by(parser)
        parser.add_argument("--to", type=int, metavar="N", help="withdraw every version newer than this one")

    def handle(self, *args: Any, lab: str | None, by: str, to: int | None, **options: Any) -> None:
        try:
            done = publishing.roll_back(lab=lab_of(lab), by=by, to=to)
        except publishing.PublishingError as error:
            raise CommandError(str(error)) from error
        for version in done.withdrawn:
            self.stdout.write(f"Withdrew {version.title}, version {version.version}.")
        if done.serving:
            self.stdout.write(f"Version {done.serving.version} answers again.")
        else:
            self.stdout.write(f"The lab's images go to {MODEL_NAME} again.")
