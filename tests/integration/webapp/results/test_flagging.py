"""A case's flags agree with its count, whatever changes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from tests.support.pages import add_cells, cell_of
from tests.support.ranges import approved
from tests.support.review import CLIENT
from webapp.cases.models import Case, Processing, Review
from webapp.cases.services import change_identifiers
from webapp.cases.specimen_services import change_specimen
from webapp.outbox.events import PatientChanged, ProcessingFinished, RangesChanged, SpecimenChanged
from webapp.outbox.models import Delivery
from webapp.results import consumers
from webapp.results.flagging import judge_anew, keep_flags
from webapp.results.sheets import sheets
from webapp.review.models import Reading
from webapp.review.selectors import counts_of
from webapp.review.services import open_reading

pytestmark = pytest.mark.usefixtures("fresh_rates", "plain_static")

D = Decimal
LYMPHOCYTES = (
    {"cell_class": "lymphocyte", "quantity": "percent", "age_to_days": 730, "low": D(20), "high": D(64)},
    {"cell_class": "lymphocyte", "quantity": "percent", "age_from_days": 730, "low": D(16), "high": D(47)},
)


@pytest.fixture
def user(alice):
    return alice.membership.user


@pytest.fixture
def case(alice, user):
    """An adult with as many lymphocytes as neutrophils, and classified."""
    with scope(lab=alice.lab):
        case = alice.case()
        change_identifiers(case, {"birth_date": date(1980, 5, 1), "sex": "female"})
        add_cells(alice, case, "lymphocyte", 0.9, 0.91)
        add_cells(alice, case, "neutrophil", 0.9, 0.91)
        approved(case.lab, user, *LYMPHOCYTES)
        Case.objects.update(processing=Processing.DONE)
        yield case


def flags():
    return Case.objects.get().flags


def decide(alice, reading, cells, cell_class):
    body = {
        "gesture": str(uuid4()),
        "client": str(CLIENT),
        "base_revision": reading.revision,
        "decisions": [{"cell": cell, "class": cell_class} for cell in cells],
    }
    answer = alice.api.send(f"/readings/{reading.pk}/decisions/", body)
    assert answer.status_code == 200, answer.content
    reading.refresh_from_db(fields=["revision"])
    return answer.json()


def all_of(case):
    return [cell_of(image).id for image in case.images.order_by("id")]


def test_processing_that_ends_flags_what_is_suggested(case):
    consumers.judge_classified(ProcessingFinished(case.lab_id, case.id, classified=4, refused=0, failed=0))
    assert flags() == ["H"]


def test_a_gesture_flags_what_is_reviewed(alice, case, user):
    judge_anew([case])
    reading = open_reading(case, Reading.Kind.FIRST, reader=user)
    cells = all_of(case)
    answer = decide(alice, reading, cells, "neutrophil")
    assert flags() == ["L"]
    rows = {row["class"]: row for row in answer["differential"]["reviewed"]["rows"]}
    assert rows["lymphocyte"]["flags"] == ["L"]
    assert (rows["lymphocyte"]["range"], rows["lymphocyte"]["no_range"]) == ("16–47 %", None)
    decide(alice, reading, cells[:1], "blast")
    assert flags() == ["A", "L"]


def test_another_reading_says_nothing_of_the_case(alice, case, user):
    reading = Reading.objects.create(
        case=case, lab=case.lab, kind=Reading.Kind.TEACHING, reader=user, revision=1
    )
    keep_flags(case, reading, sheets(case, counts_of(case, None), case.lab))
    assert flags() == []


def test_a_signed_case_keeps_its_flags(case):
    Case.objects.update(review=Review.SIGNED, flags=["HH"])
    judge_anew(Case.objects.select_related("lab"))
    assert flags() == ["HH"]


def test_who_went_on_writes_the_flags(case, user):
    reading = open_reading(case, Reading.Kind.FIRST, reader=user)
    found = sheets(case, counts_of(case, None), case.lab)
    Reading.objects.filter(id=reading.pk).update(revision=1)
    keep_flags(case, reading, found)  # counted at revision 0
    assert flags() == []
    reading.revision = 1
    keep_flags(case, reading, found)
    assert flags() == ["H"]


def test_what_did_not_change_costs_one_statement(case, django_assert_num_queries):
    judge_anew([case])
    found = sheets(case, counts_of(case, None), case.lab)
    with django_assert_num_queries(1):
        keep_flags(case, None, found)


def test_another_age_is_judged_by_another_range(case):
    judge_anew([case])
    change_identifiers(case, {"birth_date": timezone.localdate()})
    delivery = Delivery.objects.get(consumer="results.judge_patient")
    consumers.judge_patient(PatientChanged.parse(delivery.event))
    assert flags() == []


def test_another_day_of_collection_too(case):
    judge_anew([case])
    change_specimen(case, {"collected_at": datetime(1980, 6, 1, 12, tzinfo=UTC)})
    delivery = Delivery.objects.get(consumer="results.judge_specimen")
    consumers.judge_specimen(SpecimenChanged.parse(delivery.event))
    assert flags() == []


def test_a_name_changes_nothing(case):
    before = Delivery.objects.count()
    change_identifiers(case, {"name": "Somebody Else"})
    change_specimen(case, {"comment": "clotted"})
    assert Delivery.objects.count() == before


def test_other_ranges_judge_all_open_cases_some_at_a_time(alice, case, monkeypatch):
    monkeypatch.setattr(consumers, "CASES_AT_ONCE", 2)
    others = [alice.case(f"Another {n}") for n in range(3)]
    Case.objects.filter(id__in=[one.id for one in others]).update(flags=["HH"])
    event: RangesChanged | None = RangesChanged(case.lab_id)
    for _ in range(5):
        if event is None:
            break
        Delivery.objects.filter(consumer="results.judge_again").delete()
        consumers.judge_again(event)
        following = Delivery.objects.filter(consumer="results.judge_again").first()
        event = RangesChanged.parse(following.event) if following else None
    assert event is None
    assert dict(Case.objects.values_list("accession", "flags")) == {
        case.accession: ["H"],
        **{one.accession: [] for one in others},
    }


def test_the_case_page_and_the_api_say_the_same(alice, case):
    page = alice.browser.get(reverse("ui:case", args=[case.id])).content.decode()
    assert 'class="flag flag-H"' in page
    assert "16–47 %" in page
    found = alice.api.get(f"/api/v1/cases/{case.id}/").json()["differential"]
    (row,) = [one for one in found["white_cells"] if one["code"] == "lymphocyte"]
    assert (row["flags"], row["range"], row["absolute"]) == (["H"], "16–47 %", None)
    assert found["flags"] == ["H"]


def test_neither_tells_age_or_sex(alice, case):
    """Whoever may not see the patient sees by which limits, and not for whom these are."""
    for address in (reverse("ui:case", args=[case.id]), f"/api/v1/cases/{case.id}/"):
        client = alice.browser if "api" not in address else alice.api
        text = client.get(address).content.decode()
        assert "age_from_days" not in text
