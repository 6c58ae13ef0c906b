import json
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp.crypto.keyring import keyring
from webapp.crypto.rotation import rows_by_key


class Command(BaseCommand):
    help = _(
        "Print the data keys as JSON, the current one first: id, age in days, and the rows that each seals."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        ours = {key.id: key for key in keyring()}
        today = timezone.now().date()
        keys = [
            {
                "id": key_id,
                "current": key_id == keyring().current.id,
                "days": (today - ours[key_id].made).days if key_id in ours else None,
                "rows": rows,
            }
            for key_id, rows in rows_by_key().items()
        ]
        self.stdout.write(json.dumps(keys))
