"""That nothing is missing any more to sign a case: told once, each time that it comes to be so."""

from typing import Any

from django.dispatch import receiver

from webapp.cases.models import UNDER_WAY, Case
from webapp.outbox.events import CaseReady, publish
from webapp.results.completeness import is_ready
from webapp.results.models import Ready
from webapp.review.models import Reading
from webapp.review.services import decided


def look(case: Case, first: Reading | None = None) -> None:
    """Keep whether the case is ready, and tell that it came to be so. The case is held.

    Args:
        first: its first reading, where that is at hand.
    """
    first = first or Reading.objects.filter(case=case, kind=Reading.Kind.FIRST).first()
    if case.review not in UNDER_WAY or not is_ready(case, first):
        forget(case)
        return
    _ready, is_new = Ready.objects.get_or_create(case=case, defaults={"lab_id": case.lab_id})
    if is_new:
        publish(CaseReady(case.lab_id, case.id))


def forget(case: Case) -> None:
    """Something is missing again, or it is signed."""
    Ready.objects.filter(case=case).delete()


@receiver(decided)
def _decided(reading: Reading, **_: Any) -> None:
    if reading.kind == Reading.Kind.FIRST:
        look(reading.case, reading)
    elif reading.kind == Reading.Kind.SECOND:
        look(reading.case)
