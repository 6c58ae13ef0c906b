"""Cells and files of a case on pages: what they show, and what showing it costs."""

import io

import numpy as np
import pytest
from django.urls import reverse
from django_scopes import scope
from PIL import Image as PillowImage

from tests.support.pages import add_cells, cell_of, flat, page_of
from webapp.cases.models import TilePack
from webapp.ui.inference.gallery import CELLS_A_PAGE, CELLS_OF_EACH_CLASS

pytestmark = pytest.mark.usefixtures("plain_static")


def test_unsure_cells_come_first_and_are_no_suggestion(alice):
    case = alice.case()
    sure, unsure = add_cells(alice, case, "neutrophil", 0.99, 0.7)
    (unknown,) = add_cells(alice, case, "monocyte", 0.4, flagged=True)
    page = page_of(alice, "case", case.id)
    places = [page.index(f'id="cell-{cell_of(image).id}"') for image in (unknown, unsure, sure)]
    assert places == sorted(places)
    tile = page[places[0] : page.index("</a>", places[0])]
    assert "Unidentified" in tile
    assert "most like" in tile
    assert "Suggested" not in tile


def test_each_class_shows_its_beginning_and_a_way_to_the_rest(alice):
    case = alice.case()
    add_cells(alice, case, "neutrophil", *(0.5 + n / 100 for n in range(CELLS_OF_EACH_CLASS + 1)))
    add_cells(alice, case, "eosinophil", 0.9)
    page = page_of(alice, "case", case.id)
    assert page.count('class="tile"') == CELLS_OF_EACH_CLASS + 1
    assert f"Show all {CELLS_OF_EACH_CLASS + 1} Neutrophil" in page
    assert "Show all 1 " not in page


def test_a_class_is_read_page_by_page_without_loss_or_repetition(alice):
    case = alice.case()
    equal = [0.8] * (CELLS_A_PAGE + 20)  # the order must hold among equals too
    images = add_cells(alice, case, "neutrophil", *equal) + add_cells(alice, case, "neutrophil", 0.9, 0.7)
    add_cells(alice, case, "monocyte", 0.75)
    first = page_of(alice, "case", case.id, **{"class": "neutrophil"})
    shown = [image for image in images if f'id="cell-{cell_of(image).id}"' in first]
    assert len(shown) == CELLS_A_PAGE
    after = first.split("after=")[1].split('"')[0]
    second = page_of(alice, "gallery", case.id, **{"class": "neutrophil", "after": after})
    rest = [image for image in images if f'id="cell-{cell_of(image).id}"' in second]
    assert len(rest) == len(images) - CELLS_A_PAGE
    assert not {image.id for image in shown} & {image.id for image in rest}
    assert "after=" not in second


def test_a_tile_is_cut_from_its_place_on_the_mosaic(alice):
    case = alice.case()
    images = add_cells(alice, case, "neutrophil", *(0.5 + n / 100 for n in range(15)))
    page = page_of(alice, "case", case.id)
    cells = [cell_of(image).id for image in images]
    tile = page[page.index(f'id="cell-{cells[14]}"') :]
    tile = tile[: tile.index("</a>")]
    assert 'viewBox="448 224 224 224"' in tile  # the fifteenth: second row, third column
    assert f'href="{reverse("ui:mosaic", args=[case.id, cells])}"' in tile


@pytest.mark.parametrize(("query", "side"), [("", 224), ("?small", 112)])
def test_a_mosaic_shows_the_cells_asked_for_in_that_order(alice, query, side):
    case = alice.case()
    few = add_cells(alice, case, "neutrophil", *[0.9] * 3)
    many = add_cells(alice, case, "monocyte", *[0.8] * 40)
    asked = [many[39], few[1], many[0], many[7], few[2], *many[10:20]]
    path = reverse("ui:mosaic", args=[case.id, [cell_of(image).id for image in asked]])
    answer = alice.browser.get(path + query)
    picture = np.asarray(PillowImage.open(io.BytesIO(answer.content)))
    assert picture.shape == (2 * side, 12 * side, 3)
    for place, colour in enumerate([39, 1, 0, 7, 2, *range(10, 20)]):
        tile = picture[place // 12 * side :, place % 12 * side :]
        seen = tile[2 : side - 2, 2 : side - 2]  # JPEG mixes pixels at an edge
        assert np.abs(seen.astype(int) - flat(colour)[0, 0]).max() < 8


def test_a_mosaic_holds_cells_of_its_case_alone(alice, charlie):
    case = alice.case()
    (mine,) = add_cells(alice, case, "neutrophil", 0.9)
    (elsewhere,) = add_cells(alice, alice.case("Another"), "neutrophil", 0.9)
    (others,) = add_cells(charlie, charlie.case(), "neutrophil", 0.9)
    for stranger in (cell_of(elsewhere).id, cell_of(others).id, 10**17):
        path = reverse("ui:mosaic", args=[case.id, [cell_of(mine).id, stranger]])
        assert alice.browser.get(path).status_code == 404


def test_a_mosaic_is_of_so_many_cells_and_no_more(alice):
    case = alice.case()
    (image,) = add_cells(alice, case, "neutrophil", 0.9)
    path = reverse("ui:mosaic", args=[case.id, [cell_of(image).id]])
    for n, status in ((96, 200), (97, 404)):
        many = path.replace(".jpg", f"-{cell_of(image).id}" * (n - 1) + ".jpg")
        assert alice.browser.get(many).status_code == status


def test_a_tile_that_is_lost_leaves_the_others(alice):
    case = alice.case()
    (lost,), (kept,) = (add_cells(alice, case, "neutrophil", 0.9) for _ in range(2))
    with scope(lab=alice.lab):
        TilePack.objects.filter(cells__image=lost).update(key="tests/nothing")
    path = reverse("ui:mosaic", args=[case.id, [cell_of(lost).id, cell_of(kept).id]])
    answer = alice.browser.get(path)
    picture = PillowImage.open(io.BytesIO(answer.content))
    assert picture.getpixel((112, 112)) == (255, 255, 255)
    assert picture.getpixel((336, 112)) != (255, 255, 255)
    assert answer.headers["Cache-Control"] == "no-store"  # it may be found again


def test_a_cell_tells_all_and_leads_to_its_neighbours(alice):
    case = alice.case()
    low, middle, high = add_cells(alice, case, "neutrophil", 0.7, 0.8, 0.999)
    add_cells(alice, case, "monocyte", 0.75)
    page = page_of(alice, "cell", case.id, cell_of(middle).id)
    assert "Suggested: Neutrophil" in page
    assert "2 of 3" in page
    assert f'rel="prev" href="{reverse("ui:cell", args=[case.id, cell_of(low).id])}"' in page
    assert f'rel="next" href="{reverse("ui:cell", args=[case.id, cell_of(high).id])}"' in page
    assert "neutrophil-1.jpg" in page
    assert "360 × 363 px" in page
    assert "hematovision, version 1" in page
    assert "&gt; 99 %" in page_of(alice, "cell", case.id, cell_of(high).id)


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
    page = page_of(alice, "cell", case.id, cell_of(image).id)
    for doubt in ("not confident enough", "Unlike the cells this model was trained on"):
        assert (doubt in page) == (doubt in doubts)
    assert ("<dt>Distance</dt>" in page) == (distance is not None)
    assert "<dd>1.00 <" not in page


def test_the_gallery_tells_the_unfamiliar_from_the_unsure(alice):
    case = alice.case()
    (unsure,) = add_cells(alice, case, "monocyte", 0.4, flagged=True)
    (unfamiliar,) = add_cells(alice, case, "neutrophil", 0.999, flagged=True, distance=1.2)
    page = page_of(alice, "case", case.id)
    tiles = {image.id: page[page.index(f'id="cell-{cell_of(image).id}"') :] for image in (unsure, unfamiliar)}
    said = {image_id: tile[: tile.index("</a>")] for image_id, tile in tiles.items()}
    assert "unfamiliar" not in said[unsure.id]
    assert "unfamiliar" in said[unfamiliar.id]


def test_a_suggestion_has_no_doubts_to_show(alice):
    case = alice.case()
    (image,) = add_cells(alice, case, "neutrophil", 0.9, distance=1.0)
    page = page_of(alice, "cell", case.id, cell_of(image).id)
    assert "Why it is Unidentified" not in page
    assert "<dd>1.00 <" in page


def test_names_of_files_are_shown_as_text(alice):
    case = alice.case("<b>A-1</b>")
    (image,) = add_cells(alice, case, "neutrophil", 0.9)
    image.name = "\"><script>alert('x')</script>.jpg"
    image.save()
    for page in (
        page_of(alice, "case", case.id),
        page_of(alice, "cell", case.id, cell_of(image).id),
        page_of(alice, "case-files", case.id),
    ):
        assert "<script>alert" not in page
        assert "<b>A-1" not in page
