"""Cases that can be signed, and that are, for tests that need some."""

from django.utils import timezone

from tests.support.pages import add_cells, cell_of
from tests.support.people import PASSWORD, Person
from tests.support.review import decide
from webapp.accounts.methods import Method
from webapp.cases.models import Case
from webapp.cases.services import change_identifiers
from webapp.results.document import canonical, digest_of
from webapp.results.models import CriticalCall, Result, Signature
from webapp.results.signing import Shown, prepare, sign
from webapp.review.models import Reading
from webapp.review.services import open_reading

__all__ = ["PASSWORD"]

PATIENT = {"name": "Pat Example", "mrn": "4711", "sex": "female"}
FEW = "Severe leukopenia: no more are on the slide."


def ready(someone: Person, accession: str = "A-1", *, cells: int = 3, mrn: str = "4711") -> Case:
    """A case of which every cell is decided; it has fewer than the lab asks for. The lab is the scope."""
    case = someone.case(accession)
    change_identifiers(case, {**PATIENT, "mrn": mrn})
    images = add_cells(someone, case, "neutrophil", *(0.9 for _ in range(cells)))
    reading = open_reading(case, Reading.Kind.FIRST, reader=someone.membership.user)
    decide(reading, [cell_of(image).id for image in images], "neutrophil", by=someone.membership.user)
    return now(case)


def called_about(case: Case, reading: Reading) -> CriticalCall:
    """That somebody is to be told of the case's result: of a plain one, where it has none."""
    document = canonical({"rows": []})
    result = Result.objects.filter(case=case).first() or Result.objects.create(
        lab=case.lab,
        case=case,
        reading=reading,
        revision=reading.revision,
        version=1,
        document=document,
        sha256=digest_of(document),
        status=Result.Status.FINAL,
    )
    return CriticalCall.objects.create(lab=case.lab, case=case, result=result, since=timezone.now())


def now(case: Case) -> Case:
    """As it is in the database."""
    return Case.objects.select_related("lab").get(id=case.id)


def shown(case: Case, reason: str = FEW) -> Shown:
    """What the page would show of the case now."""
    prepared = prepare(now(case), reason)
    assert prepared.draft, prepared.missing
    revision = prepared.draft.values["reading"]["revision"]
    return Shown(revision, prepared.draft.digest, prepared.meaning, reason)


def it_is_them() -> Method:
    return Method.PASSWORD


def signed(case: Case, by: Person, reason: str = FEW) -> Signature:
    """Sign what the page would show of the case now."""
    return sign(now(case), by.membership, shown(case, reason), prove=it_is_them)
