from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_scopes import scopes_disabled

from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.backup import database, objects
from webapp.backup.snapshots import DUMP, SECRETS, Busy, Damaged, Snapshot, StoredObject, exclusive
from webapp.cases.models import Case, Image
from webapp.crypto.keyring import keyring


class Command(BaseCommand):
    help = _("Copy database, objects and models into a backup folder, while the product runs.")

    def _before(self, folder: Path) -> Iterable[StoredObject]:
        """What the latest snapshot has; nothing where it is not ours: its list could exchange pictures."""
        latest = Snapshot.latest(folder)
        if latest is None:
            return ()
        try:
            manifest = latest.manifest()
            for _object in latest.objects(manifest):  # to the end, where it turns out to be what was written
                pass
            return latest.objects(manifest)
        except Damaged as error:
            self.stdout.write(
                _("Everything is copied anew, since the snapshot before is not usable. %(error)s")
                % {"error": error}
            )
            return ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--secrets", type=Path, help=_("encrypted secrets, to be put in"))
        parser.add_argument("--postgres", type=Path, help=_("folder of pg_dump; default: found in the PATH"))

    def handle(
        self, *args: Any, folder: Path, secrets: Path | None, postgres: Path | None, **options: Any
    ) -> None:
        try:
            with exclusive(folder):
                self._back_up(folder, secrets, postgres)
        except (Busy, Damaged) as error:
            raise CommandError(str(error)) from error

    def _back_up(self, folder: Path, secrets: Path | None, postgres: Path | None) -> None:
        before = self._before(folder)
        snapshot = Snapshot.begin(folder)
        if secrets:
            (snapshot.path / SECRETS).write_bytes(secrets.read_bytes())
        anchors = objects.anchors()
        schema = database.schema()
        database.dump(snapshot.path / DUMP, postgres)
        copied = objects.copy_out(snapshot, anchors, before)
        if copied.missing:
            raise CommandError(
                ngettext(
                    "%(n)s object that the database names is not in the store, and no snapshot was made. "
                    "The first: %(first)s",
                    "%(n)s objects that the database names are not in the store, and no snapshot was made. "
                    "The first: %(first)s",
                    len(copied.missing),
                )
                % {"n": len(copied.missing), "first": ", ".join(sorted(copied.missing)[:3])}
            )
        models = {
            str(path.relative_to(settings.MODELS)): snapshot.contents.put(path.read_bytes())
            for path in sorted(settings.MODELS.rglob("*"))
            if path.is_file()
        }
        with scopes_disabled():
            rows = {"cases": Case.objects.count(), "images": Image.objects.count()}
        whole = snapshot.finish(
            schema=schema, data_keys=[key.id for key in keyring()], models=models, rows=rows
        )
        record(Action.BACKUP_MADE, lab=None, subject=whole.path.name, after={"objects": copied.objects})
        self.stdout.write(
            _("%(path)s: %(cases)s, %(objects)s (%(size)s MB; %(new)s of them new), %(models)s.")
            % {
                "path": whole.path,
                "cases": ngettext("%(n)s case", "%(n)s cases", rows["cases"]) % {"n": rows["cases"]},
                "objects": ngettext("%(n)s object", "%(n)s objects", copied.objects) % {"n": copied.objects},
                "size": number_format(round(copied.bytes / 1e6, 1), 1),
                "new": copied.new,
                "models": ngettext("%(n)s file of models", "%(n)s files of models", len(models))
                % {"n": len(models)},
            }
        )
