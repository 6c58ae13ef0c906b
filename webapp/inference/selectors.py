from django.db.models import Count, QuerySet

from webapp.cases.models import Case, Image
from webapp.hematology.classes import BY_CODE, UNIDENTIFIED
from webapp.inference.models import OPEN, Chunk, ChunkImage, Prediction
from webapp.registry.models import ModelVersion


def models_of(case: Case) -> list[tuple[ModelVersion, int]]:
    """The model versions that said what the case counts, each with its number of cells, most first."""
    current = Prediction.objects.filter(cell__image__case=case, current=True)
    rows = current.values_list("model_version")
    cells = dict(rows.annotate(n=Count("id")).order_by("-n", "model_version"))
    versions = ModelVersion.objects.select_related("lab").defer("info").in_bulk(cells)
    return [(versions[version_id], n) for version_id, n in cells.items()]


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
