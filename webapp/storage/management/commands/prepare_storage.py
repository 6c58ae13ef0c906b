from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from webapp.storage import locked, objects


class Command(BaseCommand):
    help = "Make the bucket for images and let the web's pages post to it. May be run again."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            objects.prepare()
            locked.prepare()
        except objects.StorageUnavailable as error:
            raise CommandError(
                f"The object store at {settings.S3_ENDPOINT} did not take the bucket "
                f"{settings.S3_BUCKET!r}: {error}"
            ) from error
        self.stdout.write(f"Bucket {settings.S3_BUCKET} is ready.")
