"""BMP."""

from serving.decoder.bounds import check_memory, check_size
from serving.decoder.kinds import BMP
from serving.decoder.limits import RUNS, Limits
from serving.decoder.opened import opened
from serving.decoder.refused import too_costly
from serving.decoder.source import Opened, Source

_RUN_LENGTH = {1, 2}


def decode(data: bytes, limits: Limits) -> Source:
    compression = int.from_bytes(data[30:34], "little") if len(data) > 34 and data[14] >= 40 else 0
    if compression in _RUN_LENGTH and len(data) > RUNS:
        raise too_costly("The BMP is run-length coded")
    image = opened(data, "BMP")
    width, height = image.size
    check_size(width, height, limits)
    check_memory("The BMP", 4 * width * height, limits)
    image.load()
    return Source(Opened(image), width, height, BMP, shown=True)
