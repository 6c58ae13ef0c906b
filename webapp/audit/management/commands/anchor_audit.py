from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from webapp.audit.anchors import anchor
from webapp.storage.objects import StorageUnavailable


class Command(BaseCommand):
    help = _("Write the head of every audit chain to the object store, outside the database.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = anchor()
        except StorageUnavailable as error:
            raise CommandError(
                _("The object store did not take the anchors: %(error)s") % {"error": error}
            ) from error
        for one in made:
            self.stdout.write(f"{one.chain} {one.seq} {one.hash.hex()}")
