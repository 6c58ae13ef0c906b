"""Pages of cases: what they show, and what showing it costs."""

import pytest
from django.urls import reverse
from django_scopes import scope

from serving.contract import CELL_LABELS
from serving.contract.sentence import Sentence
from tests.support.pages import add_cells, add_unusable, cell_of, page_of, queries
from webapp.cases.models import Case, Image
from webapp.cases.processing import settle
from webapp.cases.services import create_case
from webapp.registry.models import ModelVersion
from webapp.ui.worklist.listing import CASES_A_PAGE

pytestmark = pytest.mark.usefixtures("plain_static")


def test_the_case_list_costs_the_same_for_one_case_and_for_many(alice):
    browser, path = alice.browser, reverse("ui:worklist")
    add_cells(alice, alice.case("A-0"), "neutrophil", 0.9)
    browser.get(path)  # at first the session notes the lab
    one = queries(browser, path)
    for n in range(1, 10):
        case = alice.case(f"A-{n}")
        add_cells(alice, case, "neutrophil", 0.9, 0.8)
        add_unusable(alice, case, Image.Status.REFUSED, 2)
    assert queries(browser, path) == one


@pytest.mark.parametrize("query", ["", "?class=neutrophil", "?class=unidentified"])
def test_a_case_costs_the_same_for_few_cells_and_for_many(alice, query):
    browser, case = alice.browser, alice.case()
    path = reverse("ui:case", args=[case.id]) + query
    add_cells(alice, case, "neutrophil", 0.9)
    add_cells(alice, case, "monocyte", 0.4, flagged=True)
    add_unusable(alice, case, Image.Status.REFUSED)
    browser.get(path)  # that she opened it is recorded the first time
    few = queries(browser, path)
    for cell_class in ("neutrophil", "lymphocyte", "platelet"):
        add_cells(alice, case, cell_class, *(0.7 + n / 200 for n in range(50)))
    add_cells(alice, case, "basophil", *(0.3 + n / 200 for n in range(20)), flagged=True)
    add_unusable(alice, case, Image.Status.REFUSED, 30)
    add_unusable(alice, case, Image.Status.FAILED, 30)
    assert queries(browser, path) == few


def test_the_count_and_its_caveats(alice):
    case = alice.case()
    add_cells(alice, case, "neutrophil", 0.9, 0.9, 0.9)
    add_cells(alice, case, "monocyte", 0.9)
    add_cells(alice, case, "erythroblast", 0.9, 0.9)
    add_cells(alice, case, "basophil", 0.4, flagged=True)
    page = page_of(alice, "case", case.id)
    assert "4 of 100 white cells" in page
    assert "75.0" in page
    assert "30.1–95.4" in page  # Wilson's interval of 3 of 4
    assert '50.0</td>\n        <td colspan="2" class="rate">per 100 white cells' in page
    assert "1 Unidentified" in page
    assert "must be looked at" in page
    assert "Fewer than 100 white cells" in page


def test_the_case_names_the_models_that_said_so(alice):
    case = alice.case()
    assert "Model:" not in page_of(alice, "case", case.id)
    add_cells(alice, case, "neutrophil", 0.9, 0.9)
    assert "Model: hematovision, version 1." in page_of(alice, "case", case.id)
    (image,) = add_cells(alice, case, "monocyte", 0.9)
    with scope(lab=alice.lab):
        own = ModelVersion.objects.create(
            name="lab-1", version=4, lab=alice.lab, labels=list(CELL_LABELS), review_threshold=0.9, info={}
        )
        cell = cell_of(image)
        cell.predictions.update(model_version=own)
    page = " ".join(page_of(alice, "case", case.id).split())
    assert "Models: hematovision, version 1 (2 cells); Northern lab’s own, version 4 (1 cell)." in page
    assert "Northern lab’s own, version 4" in page_of(alice, "cell", case.id, cell.id)


def test_the_live_part_says_when_cells_have_come_in(alice):
    case = alice.case()
    add_cells(alice, case, "neutrophil", 0.9)
    live = reverse("ui:case-live", args=[case.id])
    assert "cells-changed" in alice.browser.get(live, {"classified": "0"})["HX-Trigger"]
    assert "HX-Trigger" not in alice.browser.get(live, {"classified": "1"})


def test_the_page_asks_again_only_while_something_is_under_way(alice):
    case = alice.case()
    add_cells(alice, case, "neutrophil", 0.9)
    assert "every 1s" not in page_of(alice, "case", case.id)
    add_unusable(alice, case, Image.Status.RECEIVED)
    assert "every 1s" in page_of(alice, "case", case.id)


def test_search_takes_the_beginning_in_any_case(alice):
    for accession in ("H-26-1", "h-26-2", "X-H-26"):
        alice.case(accession)
    page = page_of(alice, "worklist", q="H-2")
    assert "H-26-1" in page
    assert "h-26-2" in page
    assert "X-H-26" not in page
    assert "No case" in page_of(alice, "worklist", q="nothing-like-it")


def test_more_cases_follow_without_loss_even_of_the_same_moment(alice):
    with scope(lab=alice.lab):
        cases = [
            create_case(alice.lab, accession=f"A-{n:03}", by=alice.membership.user)
            for n in range(CASES_A_PAGE + 9)
        ]
        Case.objects.update(created_at=cases[0].created_at)
    first = page_of(alice, "worklist")
    after = first.split("after=")[1].split('"')[0]
    second = page_of(alice, "worklist", after=after)
    shown = [(case.accession in first, case.accession in second) for case in cases]
    assert all(a != b for a, b in shown)
    assert sum(a for a, _ in shown) == CASES_A_PAGE
    assert alice.browser.get(reverse("ui:worklist"), {"after": "nonsense"}).status_code == 404


@pytest.mark.parametrize("accession", ["", "x" * 65, "a\x1bb"])
def test_a_bad_accession_is_told_beside_the_field(alice, accession):
    response = alice.browser.post(reverse("ui:new-case"), {"accession": accession})
    assert response.status_code == 422
    assert b"accession-error" in response.content


def test_a_taken_accession_leads_to_the_case_that_has_it(alice):
    case = alice.case("H-77")
    response = alice.browser.post(reverse("ui:new-case"), {"accession": "H-77"})
    assert response.status_code == 409
    assert reverse("ui:case", args=[case.id]).encode() in response.content


def test_failed_images_can_be_tried_again(alice):
    case = alice.case()
    (image,) = add_cells(alice, case, "neutrophil", 0.9)
    with scope(lab=alice.lab):
        image.cells.all().delete()
        image.status, image.reason = Image.Status.FAILED, Sentence("The worker stopped.")
        image.save()
        chunk = image.in_chunk.chunk
        chunk.state = chunk.State.DEAD
        chunk.save()
        settle(case.id)
    page = page_of(alice, "case", case.id)
    assert "Needs attention" in page
    assert "The worker stopped." in page
    response = alice.browser.post(reverse("ui:case-requeue", args=[case.id]), follow=True)
    assert "1 image is being tried again." in response.content.decode()
    with scope(lab=alice.lab):
        assert Image.objects.get(id=image.id).status == Image.Status.RECEIVED
