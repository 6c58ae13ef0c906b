"""Why a file cannot be used."""

from enum import StrEnum

from serving.contract.sentence import N_, Sentence


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
    """The file is refused. `detail` is for people, or None where the sentence of the code says it all."""

    def __init__(self, reason: Reason, detail: Sentence | None = None) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return str(self.detail or self.reason)


def too_costly(what: Sentence) -> FileRefused:
    """A refusal of a file that would take too long or too much memory; `what` is of the file."""
    text = N_("%(what)s: too much work to decode. Save it again as a plain PNG, TIFF or JPEG.")
    return FileRefused(Reason.TOO_COSTLY, Sentence(text, {"what": what}))


def unusual(what: Sentence) -> FileRefused:
    """A refusal of a right file of a kind that is not read; `what` names it."""
    text = N_("%(what)s is not taken. Save it as 8-bit RGB TIFF or PNG.")
    return FileRefused(Reason.UNSUPPORTED_TYPE, Sentence(text, {"what": what}))
