"""What every format is asked before it is decoded."""

from serving.decoder.limits import LEAST_SIDE, LONGEST_SIDE, Limits
from serving.decoder.refused import FileRefused, Reason, too_costly


def check_size(width: int, height: int, limits: Limits) -> None:
    """
    Raises:
        FileRefused: too many pixels, or too few.
    """
    if width * height > limits.pixels:
        raise FileRefused(
            Reason.TOO_MANY_PIXELS,
            f"The image is {width}×{height} pixels; this server takes up to {limits.pixels / 1e6:.0f} "
            "megapixels. Crop it to the cell.",
        )
    if max(width, height) > LONGEST_SIDE:
        raise FileRefused(
            Reason.TOO_MANY_PIXELS,
            f"The image is {width}×{height} pixels; a side may have up to {LONGEST_SIDE}. "
            "Crop it to the cell.",
        )
    if min(width, height) < LEAST_SIDE:
        raise FileRefused(
            Reason.TOO_SMALL,
            f"The image is {width}×{height} pixels; at least {LEAST_SIDE}×{LEAST_SIDE} are needed "
            "to show a cell.",
        )


def check_memory(what: str, estimated: int, limits: Limits) -> None:
    """
    Raises:
        FileRefused: decoding would hold about so many bytes, and that is too much.
    """
    if estimated > limits.memory:
        raise too_costly(f"{what} needs {estimated / 1e6:.0f} MB of memory")
