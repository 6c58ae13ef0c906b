from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.backup import database, objects
from webapp.backup.snapshots import DUMP, Damaged, Manifest, Snapshot, open_plain
from webapp.crypto.keyring import keyring
from webapp.storage import locked
from webapp.storage import objects as store


class Command(BaseCommand):
    help = _("Verify a snapshot, then bring database, objects and models back from it.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("snapshot", type=Path)
        parser.add_argument(
            "--postgres", type=Path, help=_("folder of pg_restore; default: found in the PATH")
        )
        parser.add_argument("--force", action="store_true", help=_("drop what the database holds"))
        parser.add_argument(
            "--unauthenticated",
            action="store_true",
            help=_("though nobody vouches for it: see THREAT_MODEL.md"),
        )
        parser.add_argument("--only-verify", action="store_true", help=_("bring nothing back"))

    def handle(
        self,
        *args: Any,
        snapshot: Path,
        postgres: Path | None,
        force: bool,
        unauthenticated: bool,
        only_verify: bool,
        **options: Any,
    ) -> None:
        found = Snapshot(snapshot)
        try:
            manifest = found.manifest(authenticated=not unauthenticated)
            found.verify(manifest)
            _check_usable(manifest)
            if only_verify:
                self.stdout.write(
                    _("%(snapshot)s of %(made_at)s is whole.")
                    % {"snapshot": snapshot, "made_at": manifest.made_at}
                )
            else:
                self._restore(found, manifest, postgres, force)
        except Damaged as error:
            raise CommandError(_("Nothing is restored. %(error)s") % {"error": error}) from error

    def _restore(self, snapshot: Snapshot, manifest: Manifest, postgres: Path | None, force: bool) -> None:
        if addresses := database.used_from():
            raise CommandError(
                _(
                    "HematoVision, or somebody with its password, is connected to this database from "
                    "%(addresses)s. Stop all but the services."
                )
                % {"addresses": ", ".join(addresses)}
            )
        database.undo_emptied()
        empty = database.is_empty()
        if not empty and not force:
            raise CommandError(_("The database is not empty. --force drops what it holds."))
        with nullcontext() if empty else database.emptied():
            n = self._bring_back(snapshot, manifest, postgres)
        record(Action.BACKUP_RESTORED, lab=None, subject=snapshot.path.name, after={"objects": n})
        rows = manifest.rows
        self.stdout.write(
            _("%(cases)s, %(images)s and %(objects)s are back, as of %(made_at)s.")
            % {
                "cases": ngettext("%(n)s case", "%(n)s cases", rows["cases"]) % {"n": rows["cases"]},
                "images": ngettext("%(n)s image", "%(n)s images", rows["images"]) % {"n": rows["images"]},
                "objects": ngettext("%(n)s object", "%(n)s objects", n) % {"n": n},
                "made_at": manifest.made_at,
            }
        )

    def _bring_back(self, snapshot: Snapshot, manifest: Manifest, postgres: Path | None) -> int:
        """Fill the empty services; returns the number of objects."""
        with open_plain(snapshot.path / DUMP) as archive:
            database.restore(archive, manifest.files[DUMP], postgres)
        call_command("migrate", verbosity=0)
        store.prepare()
        locked.prepare()
        n = objects.copy_in(snapshot, manifest)
        for name, sha256 in manifest.models.items():
            path = settings.MODELS / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(snapshot.contents.get(sha256))
        return n


def _check_usable(manifest: Manifest) -> None:
    if unknown := set(manifest.schema) - database.known_schema():
        raise CommandError(
            _(
                "The snapshot was made by a newer version of HematoVision (it has %(migration)s). Install "
                "that version, or a later one, to restore it."
            )
            % {"migration": sorted(unknown)[-1]}
        )
    if lacking := set(manifest.data_keys) - {key.id for key in keyring()}:
        raise CommandError(
            _(
                "The data keys %(lacking)s are missing, without which patients cannot be read. Put them "
                "into HEMATOVISION_DATA_KEYS."
            )
            % {"lacking": ", ".join(sorted(lacking))}
        )
