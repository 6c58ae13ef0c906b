"""What every format is asked before it is decoded."""

from serving.contract.sentence import N_, Sentence
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
            Sentence(
                N_(
                    "The image is %(width)s×%(height)s pixels; this server takes up to %(megapixels)s "
                    "megapixels. Crop it to the cell."
                ),
                {"width": width, "height": height, "megapixels": round(limits.pixels / 1e6)},
            ),
        )
    if max(width, height) > LONGEST_SIDE:
        raise FileRefused(
            Reason.TOO_MANY_PIXELS,
            Sentence(
                N_(
                    "The image is %(width)s×%(height)s pixels; a side may have up to %(longest)s. "
                    "Crop it to the cell."
                ),
                {"width": width, "height": height, "longest": LONGEST_SIDE},
            ),
        )
    if min(width, height) < LEAST_SIDE:
        raise FileRefused(
            Reason.TOO_SMALL,
            Sentence(
                N_(
                    "The image is %(width)s×%(height)s pixels; at least %(least)s×%(least)s are needed "
                    "to show a cell."
                ),
                {"width": width, "height": height, "least": LEAST_SIDE},
            ),
        )


def check_memory(form: str, estimated: int, limits: Limits) -> None:
    """
    Args:
        form: the format's name.

    Raises:
        FileRefused: decoding would hold about so many bytes, and that is too much.
    """
    if estimated > limits.memory:
        text = N_("The %(format)s needs %(megabytes)s MB of memory")
        raise too_costly(Sentence(text, {"format": form, "megabytes": round(estimated / 1e6)}))
