import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.crypto import rotation
from webapp.crypto.keyring import keyring


class Command(BaseCommand):
    help = (
        "Seal everything anew with the current data key while the product runs. May be stopped and run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        current = keyring().current.id
        total, done, unreadable = rotation.stale_rows(), 0, []
        self.stdout.write(f"{total} rows are not under the current key, {current}, or not sealed as today.")
        began = time.monotonic()
        for step in rotation.rotate():
            done += step.rows
            unreadable += [f"{step.table} {row}" for row in step.unreadable]
            rate = done / (time.monotonic() - began)
            self.stdout.write(f"{done} of {total} rows, {rate:.0f} rows/s")
        if done:
            record(Action.KEYS_ROTATED, lab=None, subject=current, after={"rows": done})
        rows = rotation.rows_by_key()
        for key in keyring():
            if key.id == current:
                continue
            if left := rows[key.id]:
                self.stdout.write(f"Key {key.id} still seals {left} rows: keep it, and run this again.")
            else:
                self.stdout.write(
                    f"Key {key.id} seals nothing any more: take it out of the data keys once every program "
                    "has read the new ones. Backups made before now need it: they hold it, or you keep it."
                )
        if unreadable:
            raise CommandError(f"Rows that cannot be decrypted stay as they are: {', '.join(unreadable)}.")
