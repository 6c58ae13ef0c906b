"""What pages show, and what showing it costs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from serving.contract import CELL_LABELS
from tests.support.pages import add_cells, add_unusable, plain_static
from tests.support.people import person
from tests.support.present import present
from webapp.cases.models import Case, Image
from webapp.cases.services import create_case
from webapp.labs.permissions import Role
from webapp.registry.models import ModelVersion
from webapp.ui.cases.views.cases import CASES_A_PAGE
from webapp.ui.inference.gallery import CELLS_A_PAGE, CELLS_OF_EACH_CLASS

__all__ = ["plain_static"]
pytestmark = pytest.mark.usefixtures("plain_static")


def queries(client, path) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def get(person, name, *arguments, **query):
    return person.browser.get(reverse(f"ui:{name}", args=arguments), query).content.decode()


def test_the_case_list_costs_the_same_for_one_case_and_for_many(alice):
    browser, path = alice.browser, reverse("ui:cases")
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


def test_files_cost_the_same_for_few_and_for_many(alice):
    browser, case = alice.browser, alice.case()
    path = reverse("ui:case-files", args=[case.id])
    add_cells(alice, case, "neutrophil", 0.9)
    browser.get(path)
    few = queries(browser, path)
    add_cells(alice, case, "monocyte", *(0.7 + n / 200 for n in range(40)))
    assert queries(browser, path) == few


def test_the_count_and_its_caveats(alice):
    case = alice.case()
    add_cells(alice, case, "neutrophil", 0.9, 0.9, 0.9)
    add_cells(alice, case, "monocyte", 0.9)
    add_cells(alice, case, "erythroblast", 0.9, 0.9)
    add_cells(alice, case, "basophil", 0.4, flagged=True)
    page = get(alice, "case", case.id)
    assert "4 of 100 white cells" in page
    assert "75.0" in page
    assert "30.1–95.4" in page  # Wilson's interval of 3 of 4
    assert '50.0</td>\n        <td colspan="2" class="rate">per 100 white cells' in page
    assert "1 Unidentified" in page
    assert "must be looked at" in page
    assert "Fewer than 100 white cells" in page


def test_unsure_cells_come_first_and_are_no_suggestion(alice):
    case = alice.case()
    sure, unsure = add_cells(alice, case, "neutrophil", 0.99, 0.7)
    (unknown,) = add_cells(alice, case, "monocyte", 0.4, flagged=True)
    page = get(alice, "case", case.id)
    places = [page.index(f'id="cell-{image.id}"') for image in (unknown, unsure, sure)]
    assert places == sorted(places)
    tile = page[places[0] : page.index("</a>", places[0])]
    assert "Unidentified" in tile
    assert "most like" in tile
    assert "Suggested" not in tile


def test_each_class_shows_its_beginning_and_a_way_to_the_rest(alice):
    case = alice.case()
    add_cells(alice, case, "neutrophil", *(0.5 + n / 100 for n in range(CELLS_OF_EACH_CLASS + 1)))
    add_cells(alice, case, "eosinophil", 0.9)
    page = get(alice, "case", case.id)
    assert page.count('class="tile"') == CELLS_OF_EACH_CLASS + 1
    assert f"Show all {CELLS_OF_EACH_CLASS + 1} Neutrophil" in page
    assert "Show all 1 " not in page


def test_a_class_is_read_page_by_page_without_loss_or_repetition(alice):
    case = alice.case()
    equal = [0.8] * (CELLS_A_PAGE + 20)  # the order must hold among equals too
    images = add_cells(alice, case, "neutrophil", *equal) + add_cells(alice, case, "neutrophil", 0.9, 0.7)
    add_cells(alice, case, "monocyte", 0.75)
    first = get(alice, "case", case.id, **{"class": "neutrophil"})
    shown = [image for image in images if f'id="cell-{image.id}"' in first]
    assert len(shown) == CELLS_A_PAGE
    after = first.split("after=")[1].split('"')[0]
    second = get(alice, "gallery", case.id, **{"class": "neutrophil", "after": after})
    rest = [image for image in images if f'id="cell-{image.id}"' in second]
    assert len(rest) == len(images) - CELLS_A_PAGE
    assert not {image.id for image in shown} & {image.id for image in rest}
    assert "after=" not in second


def test_a_tile_is_cut_from_its_place_on_the_sheet(alice):
    case = alice.case()
    images = add_cells(alice, case, "neutrophil", *(0.5 + n / 100 for n in range(11)))
    page = get(alice, "case", case.id)
    tile = page[page.index(f'id="cell-{images[10].id}"') :]
    assert (
        tile[: tile.index("</a>")].count('viewBox="448 224 224 224"') == 1
    )  # the eleventh: second row, third column


def test_a_cell_tells_all_and_leads_to_its_neighbours(alice):
    case = alice.case()
    low, middle, high = add_cells(alice, case, "neutrophil", 0.7, 0.8, 0.999)
    add_cells(alice, case, "monocyte", 0.75)
    page = get(alice, "cell", case.id, middle.id)
    assert "Suggested: Neutrophil" in page
    assert "2 of 3" in page
    assert f'rel="prev" href="{reverse("ui:cell", args=[case.id, low.id])}"' in page
    assert f'rel="next" href="{reverse("ui:cell", args=[case.id, high.id])}"' in page
    assert "neutrophil-1.jpg" in page
    assert "360 × 363 px" in page
    assert "hematovision, version 1" in page
    assert "&gt; 99 %" in get(alice, "cell", case.id, high.id)


@pytest.mark.parametrize(
    ("confidence", "distance", "doubts"),
    [
        (0.4, 0.3, ["not confident enough"]),
        (0.95, 1.003, ["Unlike the cells this model was trained on"]),
        (0.4, 7.0, ["not confident enough", "Unlike the cells this model was trained on"]),
        (0.4, None, ["not confident enough"]),  # said by a version that measured no distance
    ],
)
def test_an_unidentified_cell_says_why(alice, confidence, distance, doubts):
    case = alice.case()
    (image,) = add_cells(alice, case, "neutrophil", confidence, flagged=True, distance=distance)
    page = get(alice, "cell", case.id, image.id)
    for doubt in ("not confident enough", "Unlike the cells this model was trained on"):
        assert (doubt in page) == (doubt in doubts)
    assert ("<dt>Distance</dt>" in page) == (distance is not None)
    assert "<dd>1.00 <" not in page


def test_the_gallery_tells_the_unfamiliar_from_the_unsure(alice):
    case = alice.case()
    (unsure,) = add_cells(alice, case, "monocyte", 0.4, flagged=True)
    (unfamiliar,) = add_cells(alice, case, "neutrophil", 0.999, flagged=True, distance=1.2)
    page = get(alice, "case", case.id)
    tiles = {image.id: page[page.index(f'id="cell-{image.id}"') :] for image in (unsure, unfamiliar)}
    said = {image_id: tile[: tile.index("</a>")] for image_id, tile in tiles.items()}
    assert "unfamiliar" not in said[unsure.id]
    assert "unfamiliar" in said[unfamiliar.id]


def test_a_suggestion_has_no_doubts_to_show(alice):
    case = alice.case()
    (image,) = add_cells(alice, case, "neutrophil", 0.9, distance=1.0)
    page = get(alice, "cell", case.id, image.id)
    assert "Why it is Unidentified" not in page
    assert "<dd>1.00 <" in page


def test_the_case_names_the_models_that_said_so(alice):
    case = alice.case()
    assert "Model:" not in get(alice, "case", case.id)
    add_cells(alice, case, "neutrophil", 0.9, 0.9)
    assert "Model: hematovision, version 1." in get(alice, "case", case.id)
    (image,) = add_cells(alice, case, "monocyte", 0.9)
    with scope(lab=alice.lab):
        own = ModelVersion.objects.create(
            name="lab-1", version=4, lab=alice.lab, labels=list(CELL_LABELS), review_threshold=0.9, info={}
        )
        image.predictions.update(model_version=own)
    page = " ".join(get(alice, "case", case.id).split())
    assert "Models: hematovision, version 1 (2 cells); Northern lab’s own, version 4 (1 cell)." in page
    assert "Northern lab’s own, version 4" in get(alice, "cell", case.id, image.id)


def test_models_are_shown_with_what_they_are_worth(alice):
    sue = person(alice.lab, "Sue", Role.SUPERVISOR)
    assert "No model is published" in get(sue, "models")
    figures = {
        "images": 2307,
        "accuracy": 0.9912,
        "intervals": {"accuracy": [0.987, 0.9996]},
        "coverage": 0.955,
        "unflagged_accuracy": 0.99972,
        "mistakes_flagged": None,
    }
    info = {
        "trained_at": "2026-01-31T12:00:00+00:00",
        "backbone": "efficientnet_lite0",
        "base": {"name": "hematovision", "version": 1},
        "licence": "CC BY <4.0>",
        "metrics": {"pbc_test": figures, "notes": "said by nobody", "empty": {"accuracy": None}},
    }
    for number, withdrawn in ((1, None), (2, None), (3, timezone.now())):
        ModelVersion.objects.create(
            name="hematovision",
            version=number,
            labels=[],
            review_threshold=0.968,
            info=info if number == 2 else {},
            published_at=timezone.now(),
            published_by="sue",
            withdrawn_at=withdrawn,
            withdrawn_by="bob" if withdrawn else "",
        )
    page = " ".join(get(sue, "models").split())
    assert "classified by <strong>hematovision, version 2</strong>" in page
    states = [page.index(f">{state}</span>") for state in ("Withdrawn", "In use", "Published")]
    assert states == sorted(states)  # newest first
    for said in (
        "pbc test",
        "2,307",
        "99.1 %",
        "98.7–100.0 %",
        "95.5 %",
        "> 99.9 %".replace(">", "&gt;"),
    ):
        assert said in page, said
    for said in (
        "31 Jan 2026, efficientnet_lite0, from hematovision 1",
        "96.8 %",
        "CC BY &lt;4.0&gt;",
        "by bob",
    ):
        assert said in page, said
    assert page.count('<th scope="row">') == 1


def test_the_live_part_says_when_cells_have_come_in(alice):
    case = alice.case()
    add_cells(alice, case, "neutrophil", 0.9)
    live = reverse("ui:case-live", args=[case.id])
    assert "cells-changed" in alice.browser.get(live, {"classified": "0"})["HX-Trigger"]
    assert "HX-Trigger" not in alice.browser.get(live, {"classified": "1"})


def test_the_page_asks_again_only_while_something_is_under_way(alice):
    case = alice.case()
    add_cells(alice, case, "neutrophil", 0.9)
    assert "every 1s" not in get(alice, "case", case.id)
    add_unusable(alice, case, Image.Status.RECEIVED)
    assert "every 1s" in get(alice, "case", case.id)


def test_names_of_files_are_shown_as_text(alice):
    case = alice.case("<b>A-1</b>")
    (image,) = add_cells(alice, case, "neutrophil", 0.9)
    image.name = "\"><script>alert('x')</script>.jpg"
    image.save()
    for page in (
        get(alice, "case", case.id),
        get(alice, "cell", case.id, image.id),
        get(alice, "case-files", case.id),
    ):
        assert "<script>alert" not in page
        assert "<b>A-1" not in page


def test_search_takes_the_beginning_in_any_case(alice):
    for accession in ("H-26-1", "h-26-2", "X-H-26"):
        alice.case(accession)
    page = get(alice, "cases", q="H-2")
    assert "H-26-1" in page
    assert "h-26-2" in page
    assert "X-H-26" not in page
    assert "No case" in get(alice, "cases", q="nothing-like-it")


def test_older_cases_follow_without_loss_even_of_the_same_moment(alice):
    with scope(lab=alice.lab):
        cases = [
            create_case(alice.lab, accession=f"A-{n:03}", by=alice.membership.user)
            for n in range(CASES_A_PAGE + 9)
        ]
        Case.objects.update(created_at=cases[0].created_at)
    first = get(alice, "cases")
    before = first.split("before=")[1].split('"')[0]
    second = get(alice, "cases", before=before)
    shown = [(case.accession in first, case.accession in second) for case in cases]
    assert all(a != b for a, b in shown)
    assert sum(a for a, _ in shown) == CASES_A_PAGE
    assert alice.browser.get(reverse("ui:cases"), {"before": "nonsense"}).status_code == 404


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
        image.predictions.all().delete()
        image.status, image.detail = Image.Status.FAILED, "The worker stopped."
        image.save()
        chunk = present(image.chunk)
        chunk.state = chunk.State.DEAD
        chunk.save()
    page = get(alice, "case", case.id)
    assert "Needs attention" in page
    assert "The worker stopped." in page
    response = alice.browser.post(reverse("ui:case-requeue", args=[case.id]), follow=True)
    assert "1 image is being tried again." in response.content.decode()
    with scope(lab=alice.lab):
        assert Image.objects.get(id=image.id).status == Image.Status.RECEIVED


@pytest.mark.parametrize("path", ["/cases/nothing/", "/nothing/"])
def test_what_is_not_there_says_so_in_our_own_words(alice, path):
    response = alice.browser.get(path)
    assert response.status_code == 404
    assert b"There is nothing at this address" in response.content


def test_an_error_of_ours_tells_nothing_of_our_insides(alice, monkeypatch):
    monkeypatch.setattr("webapp.cases.selectors.progress_of", lambda cases: 1 / 0)
    browser = alice.browser
    browser.raise_request_exception = False
    response = browser.get(reverse("ui:cases"))
    assert response.status_code == 500
    assert b"went wrong on our side" in response.content
    assert b"ZeroDivision" not in response.content
