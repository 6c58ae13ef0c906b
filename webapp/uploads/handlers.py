"""How the bodies of multipart requests are taken, so that nobody can fill the disk with them."""

from typing import Any, NoReturn

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest


class NoFiles(FileUploadHandler):
    """Reads past files without keeping them: the default, because only one address takes any."""

    def new_file(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Never called: every file is skipped."""

    def file_complete(self, file_size: int) -> None:
        """Never called: every file is skipped."""


class UpToOneTooMany(FileUploadHandler):
    """Lets through one byte more than an image may have: enough to see that it is too large, and no more."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        room = settings.UPLOAD_MAX_BYTES + 1 - start
        return raw_data[:room] if room > 0 else None

    def file_complete(self, file_size: int) -> None:
        """The next handler makes the file."""


class IntoFile(TemporaryFileUploadHandler):
    """Django's; what it has of a file makes room at once where there is none left."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError:
            self.upload_interrupted()
            raise


def for_images(request: HttpRequest) -> list[FileUploadHandler]:
    return [UpToOneTooMany(request), IntoFile(request)]
