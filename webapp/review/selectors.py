"""A case's cells by the class under which people see them: see `webapp.review.classes`."""

from dataclasses import dataclass, field
from typing import Any, Literal

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from webapp.accounts.models import User
from webapp.cases import selectors as cases
from webapp.cases.models import UNDER_WAY, Case, Cell, Image, Review
from webapp.inference.models import Prediction
from webapp.review.classes import shown_class
from webapp.review.models import Decision, Reading


@dataclass(frozen=True)
class Counts:
    """A case's cells by class code. Two counts that are never mixed, and both together as pages sort cells.

    Attributes:
        suggested: the cells that nobody decided, those the model is unsure of under `unidentified`.
        reviewed: the decided cells.
    """

    suggested: dict[str, int] = field(default_factory=dict)
    reviewed: dict[str, int] = field(default_factory=dict)

    @property
    def shown(self) -> dict[str, int]:
        codes = self.suggested.keys() | self.reviewed.keys()
        return {code: self.suggested.get(code, 0) + self.reviewed.get(code, 0) for code in codes}


BLINDED = Q(blinded=True, unblinded_at=None, case__review__in=UNDER_WAY)
"""Readings that nobody but their readers sees, who see no other."""


def readings(viewer: User) -> QuerySet[Reading]:
    """The readings that a person may see, with their cases.

    Until it is compared with the first, or the case is signed, a blinded reading is its reader's alone, who
    sees no other.
    """
    own = Reading.objects.filter(BLINDED, case=OuterRef("case"), reader=viewer)
    found = Reading.objects.filter(~Exists(own.exclude(pk=OuterRef("pk"))))
    found = found.exclude(BLINDED & ~Q(reader=viewer))
    return found.select_related("case__lab", "lab", "reader")


def read_blinded(viewer: User) -> QuerySet[Reading]:
    """Readings that a person does blinded now: of their cases they are told nothing that comes from another
    reading. A query of cases asks `Exists(read_blinded(viewer).filter(case=OuterRef("pk")))`."""
    return Reading.objects.filter(BLINDED, reader=viewer)


def is_blinded(case: Case, viewer: User) -> bool:
    return read_blinded(viewer).filter(case=case).exists()


def decided_in_first(case: Case, person: User) -> bool:
    """Whether they decided in the first reading, so that they cannot read the case without having seen it."""
    return decisions_in_first(case).filter(by=person).exists()


def decisions_in_first(case: Case) -> QuerySet[Decision]:
    return Decision.objects.filter(reading__case=case, reading__kind=Reading.Kind.FIRST)


def reviews(case: Case, viewer: User) -> QuerySet[Reading]:
    """The readings of the case's review that a person may see, the first before the second; what learners do
    is none of it."""
    return readings(viewer).filter(case=case).exclude(kind=Reading.Kind.TEACHING).order_by("kind", "id")


def shown_reading(case: Case, viewer: User) -> Reading | None:
    """The reading by which a case's pages show its cells to somebody: the first, once something was decided;
    their own while they read it blinded."""
    if case.review == Review.OPEN:
        return None
    of_theirs = Q(kind=Reading.Kind.FIRST) | Q(BLINDED, reader=viewer)
    return readings(viewer).filter(of_theirs, case=case).order_by("kind").first()


def counts_of(case: Case, reading: Reading | None) -> Counts:
    counts = Counts()
    rows = current_of_case(case, reading).values_list("decided_class", "shown_class")
    for decided, code, n in rows.annotate(n=Count("*")).order_by():
        by_code = counts.suggested if decided is None else counts.reviewed
        by_code[code] = by_code.get(code, 0) + n
    return counts


def cells(case: Case, reading: Reading | None, code: str = "") -> QuerySet[Prediction]:
    """A case's cells, of one class where asked: their current predictions with cell and image, least sure
    first."""
    return (
        _of_class(_current(reading).filter(cell__image__case=case), code)
        .select_related("cell__image")
        .defer("evidence", "embedding")
        .order_by("confidence", "cell_id")
    )


def before(cell: Prediction) -> Q:
    """Which of `cells` come before `cell`."""
    return Q(confidence__lt=cell.confidence) | Q(confidence=cell.confidence, cell_id__lt=cell.cell_id)


def after(cell: Prediction) -> Q:
    """Which of `cells` come after `cell`."""
    return Q(confidence__gt=cell.confidence) | Q(confidence=cell.confidence, cell_id__gt=cell.cell_id)


def first_cells_of_each_class(case: Case, reading: Reading | None, n: int) -> QuerySet[Prediction]:
    """Of each class as it is shown, the first `n` of `cells`."""
    place = Window(RowNumber(), partition_by="shown_class", order_by=["confidence", "cell_id"])
    return cells(case, reading).alias(place=place).filter(place__lte=n)


def images_of_class(images: QuerySet[Image], reading: Reading | None, code: str) -> QuerySet[Image]:
    """Those of `images` that show a cell of the class; each once."""
    of_it = _of_class(_current(reading).filter(cell__image=OuterRef("pk")), code)
    return images.filter(Exists(of_it))


def images_with_cells(case: Case, reading: Reading | None) -> QuerySet[Image]:
    """All of a case's images in upload order, with their cells and of what class each is."""
    return cases.images(case).prefetch_related(with_predictions(reading))


def with_predictions(reading: Reading | None) -> "Prefetch[Literal['cells']]":
    """Images' cells, with `cell.current`: the prediction that counts, in a list."""
    said = Prefetch(
        "predictions",
        queryset=_current(reading)
        .select_related("model_version")
        .defer("evidence", "embedding", "model_version__info"),
        to_attr="current",
    )
    return Prefetch("cells", queryset=Cell.objects.order_by("number").prefetch_related(said))


def current_of(cell: Cell) -> Prediction | None:
    """The prediction that counts, of a cell that came `with_predictions`."""
    current: list[Prediction] = cell.current  # type: ignore[attr-defined]
    return current[0] if current else None


def prediction_of(cell: Cell, reading: Reading | None) -> Prediction | None:
    """The prediction that counts, with its evidence and model version, and of what class the cell is."""
    found = _current(reading).filter(cell=cell).select_related("model_version__lab").defer("embedding")
    return found.first()


def _current(reading: Reading | None) -> QuerySet[Any]:
    """One row for each cell: its current prediction, with the class under which people see it."""
    return Prediction.objects.filter(current=True).annotate(**shown_class(reading))


def current_of_case(case: Case, reading: Reading | None) -> QuerySet[Any]:
    """One row for each cell of the case, as the rows of `cells` are, found without its image: a case may have
    so many that a join more is felt. The case's lab is the scope."""
    found = Prediction._base_manager.filter(current=True, cell__pack__case=case)
    return found.annotate(**shown_class(reading))


def _of_class(current: QuerySet[Any], code: str) -> QuerySet[Any]:
    return current.filter(shown_class=code) if code else current
