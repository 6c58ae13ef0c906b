from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from webapp.storage import locked, objects


class Command(BaseCommand):
    help = _("Make the bucket for images and let the web's pages post to it. May be run again.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            objects.prepare()
            locked.prepare()
        except objects.StorageUnavailable as error:
            raise CommandError(
                _("The object store at %(S3_ENDPOINT)s did not take the bucket %(S3_BUCKET)r: %(error)s")
                % {"S3_ENDPOINT": settings.S3_ENDPOINT, "S3_BUCKET": settings.S3_BUCKET, "error": error}
            ) from error
        self.stdout.write(_("Bucket %(S3_BUCKET)s is ready.") % {"S3_BUCKET": settings.S3_BUCKET})
