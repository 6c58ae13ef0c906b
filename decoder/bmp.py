"""BMP."""

from decoder.bounds import check_memory, check_size
from decoder.kinds import BMP
from decoder.limits import RUNS, Limits
from decoder.opened import opened
from decoder.refused import too_costly
from decoder.source import Opened, Source

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
