"""BMP."""

from serving.contract.sentence import N_, Sentence
from serving.decoder.cost import check_memory, check_size
from serving.decoder.kinds import BMP
from serving.decoder.limits import RUNS, Limits
from serving.decoder.opened import opened
from serving.decoder.refused import FileRefused, too_costly, unusual
from serving.decoder.source import Opened, Source

_RUN_LENGTH = {1, 2}
_INSIDE = {4: "JPEG", 5: "PNG"}
_BITFIELDS = 3


def decode(data: bytes, limits: Limits) -> Source:
    compression = int.from_bytes(data[30:34], "little") if len(data) > 34 and data[14] >= 40 else 0
    if compression in _RUN_LENGTH and len(data) > RUNS:
        raise too_costly(Sentence(N_("The BMP is run-length coded")))
    if compression in _INSIDE:
        raise unusual(Sentence(N_("A BMP with a %(format)s inside"), {"format": _INSIDE[compression]}))
    try:
        image = opened(data, "BMP")
    except FileRefused as error:
        if compression == _BITFIELDS and "bitfields" in str(error.__cause__):
            raise unusual(Sentence(N_("A BMP with colours of this many bits"))) from error
        raise
    width, height = image.size
    check_size(width, height, limits)
    check_memory("BMP", 4 * width * height, limits)
    image.load()
    return Source(Opened(image), width, height, BMP, shown=True)
