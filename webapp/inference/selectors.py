from typing import Literal

from django.db.models import Case as Switch
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber

from webapp.cases import selectors as cases
from webapp.cases.models import Case, Cell, Image
from webapp.hematology.classes import BY_CODE, UNIDENTIFIED
from webapp.hematology.differential import Differential, differential
from webapp.inference.models import OPEN, Chunk, ChunkImage, Prediction
from webapp.registry.models import ModelVersion


def counts_of(case: Case) -> dict[str, int]:
    """The case's cells by class code; those the model is unsure of under `unidentified`."""
    counts: dict[str, int] = {}
    for cell_class, flagged, n in (
        _current(case).values_list("cell_class", "flagged").annotate(n=Count("id")).order_by()
    ):
        code = UNIDENTIFIED if flagged else cell_class
        counts[code] = counts.get(code, 0) + n
    return counts


def differential_of(case: Case, full_count: int) -> Differential:
    return differential(counts_of(case), full_count)


def cells(case: Case, cell_class: str = "") -> QuerySet[Prediction]:
    """A case's cells: their current predictions with cell and image, least sure first.

    `cell_class` keeps one class, as in `of_class`.
    """
    return (
        _current(case)
        .filter(of_class(cell_class, ""))
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


def first_cells_of_each_class(case: Case, n: int) -> QuerySet[Prediction]:
    """Of each class as it is shown (`unidentified` those flagged), the first `n` of `cells`."""
    shown = Switch(When(flagged=True, then=Value(UNIDENTIFIED)), default="cell_class")
    place = Window(RowNumber(), partition_by=shown, order_by=["confidence", "cell_id"])
    return cells(case).alias(place=place).filter(place__lte=n)


def of_class(code: str, via: str) -> Q:
    """Which rows are of a class by their current prediction: theirs by way of `via`, "" for predictions.

    `unidentified`: those flagged; "": those of any class.
    """
    wanted: dict[str, str | bool] = {f"{via}current": True}
    if code == UNIDENTIFIED:
        wanted[f"{via}flagged"] = True
    elif code:
        wanted |= {f"{via}cell_class": code, f"{via}flagged": False}
    return Q(**wanted)


def images_of_class(images: QuerySet[Image], code: str) -> QuerySet[Image]:
    """Those of `images` that show a cell of the class, as in `of_class`; each once."""
    of_it = Cell.objects.filter(of_class(code, "predictions__"), image=OuterRef("pk"))
    return images.filter(Exists(of_it))


def images_with_cells(case: Case) -> QuerySet[Image]:
    """All of a case's images in upload order, with their cells and what the model says of each now."""
    return cases.images(case).prefetch_related(with_predictions())


def with_predictions() -> "Prefetch[Literal['cells']]":
    """Images' cells, with `cell.current`: the prediction that counts, in a list."""
    predictions = Prediction.objects.filter(current=True)
    said = Prefetch(
        "predictions",
        queryset=predictions.select_related("model_version").defer(
            "evidence", "embedding", "model_version__info"
        ),
        to_attr="current",
    )
    return Prefetch("cells", queryset=Cell.objects.order_by("number").prefetch_related(said))


def current_of(cell: Cell) -> Prediction | None:
    """The prediction that counts, of a cell that came `with_predictions`."""
    current: list[Prediction] = cell.current  # type: ignore[attr-defined]
    return current[0] if current else None


def models_of(case: Case) -> list[tuple[ModelVersion, int]]:
    """The model versions that said what the case counts, each with its number of cells, most first."""
    rows = _current(case).values_list("model_version")
    cells = dict(rows.annotate(n=Count("id")).order_by("-n", "model_version"))
    versions = ModelVersion.objects.select_related("lab").defer("info").in_bulk(cells)
    return [(versions[version_id], n) for version_id, n in cells.items()]


def prediction_of(cell: Cell) -> Prediction | None:
    """The prediction that counts, with its evidence and model version."""
    return (
        Prediction.objects.filter(cell=cell, current=True)
        .select_related("model_version__lab")
        .defer("embedding")
        .first()
    )


def asked_again(case: Case) -> int:
    """How many of the case's images are classified and wait for what the live version says of them."""
    waiting = ChunkImage.objects.filter(chunk__case=case, chunk__state__in=OPEN, chunk__live_only=True)
    return waiting.filter(image__status=Image.Status.CLASSIFIED).count()


def dead_letters() -> QuerySet[Chunk]:
    """The lab's dead letters, each with its case and the number `n` of its images."""
    found = Chunk.objects.filter(state=Chunk.State.DEAD).select_related("case")
    return found.annotate(n=Count("images")).order_by("-id")


def model_notice(case: Case) -> str | None:
    """A sentence for the page while images wait because something they need cannot be reached."""
    waiting = (
        Chunk.objects.filter(case=case, state__in=[Chunk.State.QUEUED, Chunk.State.RUNNING], deferrals__gt=0)
        .exclude(error="")
        .order_by("-deferrals")
        .values_list("error", flat=True)
        .first()
    )
    if waiting is None:
        return None
    n = Image.objects.filter(case=case, status=Image.Status.RECEIVED).count()
    if not n:
        return f"{waiting} Until it does, what was said of the cells before counts."
    images = "1 image is" if n == 1 else f"{n} images are"
    return f"{waiting} {images} kept safe and will be tried again until it works."


def class_name(code: str) -> str:
    return "Unidentified" if code == UNIDENTIFIED else BY_CODE[code].name


def _current(case: Case) -> QuerySet[Prediction]:
    return Prediction.objects.filter(cell__image__case=case, current=True)
