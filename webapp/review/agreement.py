"""How far the readings of a case agree, kept as it was when both were finished."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from django.db.models import F, QuerySet
from django.utils import timezone

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.cases.models import Case
from webapp.hematology.agreement import agreed, cohens_kappa
from webapp.hematology.classes import REPORT_ORDER
from webapp.outbox.events import ReadingsCompared, publish
from webapp.review.models import Agreement, CellState, Disagreement, Reading
from webapp.review.selectors import is_blinded


def agreements(case: Case) -> QuerySet[Agreement]:
    """Of a case, the last first."""
    found = Agreement.objects.filter(case=case).order_by("-made_at")
    return found.select_related("first__reader", "second__reader", "second__finished_by", "case")


def seen_agreements(case: Case, viewer: User) -> QuerySet[Agreement]:
    """Those that somebody may see: none while they read the case blinded."""
    found = agreements(case)
    return found.none() if is_blinded(case, viewer) else found


def disagreements(agreement: Agreement) -> QuerySet[Disagreement]:
    """The open ones first."""
    found = Disagreement.objects.filter(agreement=agreement)
    return found.select_related("settled_by", "settled_with", "proposed_by", "proposed_to").order_by(
        F("settled_at").asc(nulls_first=True), "cell_id"
    )


def open_disagreements(case: Case) -> QuerySet[Disagreement]:
    return Disagreement.objects.filter(agreement__case=case, settled_class="")


def compare(case: Case) -> list[Agreement]:
    """Compare each second reading that is finished with the first, once that is; the case is held."""
    readings = Reading.objects.filter(case=case, finished_at__isnull=False)
    first = readings.filter(kind=Reading.Kind.FIRST).first()
    if first is None:
        return []
    waiting = readings.filter(kind=Reading.Kind.SECOND, agreement=None).order_by("pk")
    return [_compared(first, second) for second in waiting]


def _compared(first: Reading, second: Reading) -> Agreement:
    of_first, of_second = _classes(first), _classes(second)
    both = of_first.keys() & of_second.keys()
    pairs = Counter((of_first[cell], of_second[cell]) for cell in both)
    confusion: dict[str, dict[str, int]] = defaultdict(dict)
    for (one, other), n in sorted(pairs.items()):
        confusion[one][other] = n
    made = Agreement.objects.create(
        lab_id=first.lab_id,
        case_id=first.case_id,
        first=first,
        second=second,
        first_revision=first.revision,
        second_revision=second.revision,
        confusion=confusion,
        cells=len(both),
        agreed=agreed(pairs),
        by_one=len(of_first.keys() ^ of_second.keys()),
        kappa=cohens_kappa(pairs),
    )
    differing = [
        Disagreement(
            lab_id=first.lab_id,
            agreement=made,
            cell_id=cell,
            first_class=of_first.get(cell, ""),
            second_class=of_second.get(cell, ""),
        )
        for cell in sorted(of_first.keys() | of_second.keys())
        if of_first.get(cell) != of_second.get(cell)
    ]
    Disagreement.objects.bulk_create(differing)
    second.unblinded_at = timezone.now()
    second.save(update_fields=["unblinded_at"])
    case = first.case
    publish(ReadingsCompared(case.lab_id, case.id, len(differing)))
    record(
        Action.READINGS_COMPARED,
        lab=case.lab_id,
        subject=case.accession,
        subject_id=f"case {case.id}",
        after={"first": first.pk, "second": second.pk},
    )
    return made


def _classes(reading: Reading) -> dict[int, str]:
    """What it decided of cells; without those that were taken back."""
    rows = CellState.objects.filter(reading=reading).exclude(cell_class="")
    return dict(rows.values_list("cell_id", "cell_class"))


@dataclass(frozen=True)
class Matrix:
    """The confusion as a table: `rows` are the first reading's classes with their cells by `codes`."""

    codes: list[str]
    rows: list[tuple[str, list[int], int]]
    totals: list[int]


def matrix(agreement: Agreement) -> Matrix:
    confusion = agreement.confusion
    used = {*confusion, *(code for row in confusion.values() for code in row)}
    codes = [code for code in REPORT_ORDER if code in used]
    rows = []
    for code in codes:
        counts = [confusion.get(code, {}).get(other, 0) for other in codes]
        rows.append((code, counts, sum(counts)))
    return Matrix(codes, rows, [sum(row[1][place] for row in rows) for place in range(len(codes))])
