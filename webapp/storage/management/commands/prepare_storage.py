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
                _("The object store at %(endpoint)s did not take the bucket %(bucket)r: %(error)s")
                % {"endpoint": settings.S3_ENDPOINT, "bucket": settings.S3_BUCKET, "error": error}
            ) from error
        self.stdout.write(_("Bucket %(bucket)s is ready.") % {"bucket": settings.S3_BUCKET})
