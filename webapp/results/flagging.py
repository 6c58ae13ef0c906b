"""A case's flags, kept with it for the worklist: they agree with its first reading, or with what is suggested
until something is decided."""

from collections.abc import Iterable

from django.db.models import Exists

from webapp.cases.models import UNDER_WAY, Case
from webapp.results.sheets import Sheets, sheets
from webapp.review.models import Reading
from webapp.review.selectors import counts_of


def keep_flags(case: Case, reading: Reading | None, found: Sheets) -> None:
    """Write a case's flags where they are others than before; in one statement.

    Other readings than the first say nothing of the case, and a signed one stays as it was signed. Where the
    reading has gone on since it was counted, whoever went on with it writes the flags.
    """
    flags = [flag.value for flag in found.standing.flags]
    changed = Case.objects.filter(id=case.pk, review__in=UNDER_WAY).exclude(flags=flags)
    if reading is not None:
        if reading.kind != Reading.Kind.FIRST:
            return
        as_counted = Reading.objects.filter(id=reading.pk, revision=reading.revision)
        changed = changed.filter(Exists(as_counted))
    changed.update(flags=flags)


def judge_anew(cases: Iterable[Case]) -> None:
    """Count and judge cases, which came with their lab, and keep their flags."""
    for case in cases:
        reading = Reading.objects.filter(case=case, kind=Reading.Kind.FIRST).first()
        keep_flags(case, reading, sheets(case, counts_of(case, reading), case.lab))
