"""What jobs made, as downloads."""

from collections.abc import Iterator

from django.http import StreamingHttpResponse

from webapp.jobs.kinds import KINDS
from webapp.jobs.models import Job
from webapp.storage import objects


def download(job: Job) -> StreamingHttpResponse:
    """The result of a job that is done (`selectors.can_fetch`), a part at a time."""
    kind = KINDS[job.kind]
    return StreamingHttpResponse(
        _parts(job),
        content_type=kind.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{kind.file_name}"',
            "Cache-Control": "private, no-store",
        },
    )


def _parts(job: Job) -> Iterator[bytes]:
    for key in job.part_keys:
        yield objects.get(key)[0]
