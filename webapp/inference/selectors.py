from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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


def times_rerun(case: Case) -> int:
    """How often the model answered anew for images of the case: by another number, what is suggested of its
    cells may be other."""
    return Chunk.objects.filter(case=case, state=Chunk.State.DONE, live_only=True).count()


def dead_letters() -> QuerySet[Chunk]:
    """The lab's dead letters, each with its case and the number `n` of its images."""
    found = Chunk.objects.filter(state=Chunk.State.DEAD).select_related("case")
    return found.annotate(n=Count("images")).order_by("-id")


def model_notice(case: Case) -> str | None:
    """A sentence for the page while images wait because something they need cannot be reached."""
    waiting = (
        Chunk.objects.filter(case=case, state__in=[Chunk.State.QUEUED, Chunk.State.RUNNING], deferrals__gt=0)
        .exclude(reason__isnull=True)
        .order_by("-deferrals")
        .only("reason")
        .first()
    )
    if waiting is None:
        return None
    n = Image.objects.filter(case=case, status=Image.Status.RECEIVED).count()
    if not n:
        text = _("%(why)s Until it does, what was said of the cells before counts.")
    else:
        text = ngettext(
            "%(why)s %(n)s image is kept safe and will be tried again until it works.",
            "%(why)s %(n)s images are kept safe and will be tried again until it works.",
            n,
        )
    return text % {"why": waiting.error, "n": n}


def class_name(code: str) -> str:
    """Of a class of cells, in the reader's language."""
    return _("Unidentified") if code == UNIDENTIFIED else _(BY_CODE[code].name)


def class_short(code: str) -> str:
    """How it is abbreviated in the reader's language; the whole name of what has no abbreviation."""
    short = BY_CODE[code].short
    return _(short) if short.isalpha() else class_name(code)
