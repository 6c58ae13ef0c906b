from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from serving.contract import ModelFolderError
from webapp.registry.services import register


class Command(BaseCommand):
    help = "Record a model version's folder, so that workers can read its answers. May be run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            version = register(folder)
        except ModelFolderError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Registered {version}.")
