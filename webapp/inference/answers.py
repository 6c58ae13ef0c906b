"""What a worker found out about images, as it is recorded; arrays are bytes as rows keep them."""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.contract.sentence import Sentence
from webapp.cases.boxes import Box
from webapp.cases.refusals import Refusal


@dataclass(frozen=True)
class Refused:
    """Why an image is not taken; `sha256` and `size` are those of its bytes, where they were seen.

    `reason` is None where the refusal's own sentence says it all.
    """

    image_id: int
    refusal: Refusal
    reason: Sentence | None = None
    sha256: bytes | None = None
    size: int | None = None


@dataclass(frozen=True)
class Span:
    """Where one tile lies in its pack, in bytes."""

    offset: int
    length: int


KEPT = Span(0, 0)
"""Said of a cell that has its tile already: it is asked of again."""


@dataclass(frozen=True)
class CellAnswer:
    """One cell of a picture, and the model's answer."""

    box: Box
    tile: Span
    cell_class: str
    confidence: float
    flagged: bool
    probabilities: list[float]
    evidence: bytes
    evidence_grid: int
    embedding: bytes
    distance: float


@dataclass(frozen=True)
class Classified:
    """One image and its cells, in their order."""

    image_id: int
    sha256: bytes
    size: int
    width: int
    height: int
    object_version: str
    media_type: str
    display_key: str
    cells: Sequence[CellAnswer]

    def check(self) -> None:
        """See to it that every cell lies within the picture.

        Raises:
            BoxOutsidePicture: one does not.
        """
        for cell in self.cells:
            cell.box.check_within(self.width, self.height)
