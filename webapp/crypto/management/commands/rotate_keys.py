import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.crypto import rotation
from webapp.crypto.keyring import keyring


class Command(BaseCommand):
    help = _(
        "Seal everything anew with the current data key while the product runs. May be stopped and run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        current = keyring().current.id
        total, done, unreadable = rotation.stale_rows(), 0, []
        self.stdout.write(
            ngettext(
                "%(n)s row is not under the current key, %(key)s, or not sealed as today.",
                "%(n)s rows are not under the current key, %(key)s, or not sealed as today.",
                total,
            )
            % {"n": total, "key": current}
        )
        began = time.monotonic()
        for step in rotation.rotate():
            done += step.rows
            unreadable += [f"{step.table} {row}" for row in step.unreadable]
            rate = done / (time.monotonic() - began)
            self.stdout.write(
                _("%(done)s of %(total)s rows, %(rate)s rows/s")
                % {"done": done, "total": total, "rate": f"{rate:.0f}"}
            )
        if done:
            record(Action.KEYS_ROTATED, lab=None, subject=current, after={"rows": done})
        rows = rotation.rows_by_key()
        for key in keyring():
            if key.id == current:
                continue
            if left := rows[key.id]:
                self.stdout.write(
                    ngettext(
                        "Key %(id)s still seals %(n)s row: keep it, and run this again.",
                        "Key %(id)s still seals %(n)s rows: keep it, and run this again.",
                        left,
                    )
                    % {"id": key.id, "n": left}
                )
            else:
                self.stdout.write(
                    _(
                        "Key %(id)s seals nothing any more: take it out of the data keys once every program "
                        "has read the new ones. Backups made before now need it: they hold it, or you "
                        "keep it."
                    )
                    % {"id": key.id}
                )
        if unreadable:
            raise CommandError(
                _("Rows that cannot be decrypted stay as they are: %(rows)s.")
                % {"rows": ", ".join(unreadable)}
            )
