"""Why a file cannot be used."""

from enum import StrEnum


class Reason(StrEnum):
    """Codes; `webapp.cases.refusals.Refusal` has the same, with a sentence for each."""

    EMPTY = "empty"
    UNSUPPORTED_TYPE = "unsupported_type"
    NOT_AN_IMAGE = "not_an_image"
    DAMAGED = "damaged"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    TOO_COSTLY = "too_costly"
    NO_COLOUR = "no_colour"
    SEVERAL_PICTURES = "several_pictures"


class FileRefused(Exception):
    """The file is refused. `detail` is a sentence for people, or "" where that of the code says it all."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(detail or reason.value)


def too_costly(what: str) -> FileRefused:
    """A refusal of a file that would take too long or too much memory; `what` is of the file."""
    return FileRefused(
        Reason.TOO_COSTLY, f"{what}: too much work to decode. Save it again as a plain PNG, TIFF or JPEG."
    )


def unusual(what: str) -> FileRefused:
    """A refusal of a right file of a kind that is not read; `what` names it."""
    return FileRefused(Reason.UNSUPPORTED_TYPE, f"{what} is not taken. Save it as 8-bit RGB TIFF or PNG.")
