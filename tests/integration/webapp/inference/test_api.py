"""Images, results and dead letters by the API."""

import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from django_scopes import scope

from serving.contract.sentence import Sentence
from tests.support.pages import add_cells, add_unusable
from webapp.cases.models import Cell, Image
from webapp.inference.models import Chunk

pytestmark = pytest.mark.usefixtures("fresh_rates")


@pytest.mark.parametrize("name", ["data:x,.jpg", "page.html", "drawing.svg", "cell.jpg", "noname"])
@pytest.mark.parametrize(("media_type", "linked"), [("image/png", "image/png"), ("", "image/jpeg")])
def test_the_links_content_type_is_never_the_names(alice, name, media_type, linked):
    with scope(lab=alice.lab):
        image = Image.objects.create(
            lab=alice.lab, case=alice.case(), name=name, key=uuid.uuid4().hex, bytes=1, media_type=media_type
        )
    link = alice.api.read(f"/images/{image.id}/picture/")
    asked = parse_qs(urlsplit(link.headers["Location"]).query)
    assert asked["response-content-type"] == [linked]


@pytest.mark.parametrize("query", [{"status": "bogus"}, {"status": "\0"}, {"cell_class": "x"}])
def test_bad_filters_are_told(alice, query):
    assert alice.api.read(f"/cases/{alice.case().id}/images/", **query).status_code == 400


def test_dead_letters_are_listed_across_cases(alice, charlie):
    with scope(lab=alice.lab):
        Chunk.objects.create(
            lab=alice.lab,
            case=alice.case("H-9"),
            queue="bulk",
            state="dead",
            reason=Sentence("It broke."),
            attempts=3,
        )
    (letter,) = alice.api.read("/dead-letters/").json()["results"]
    assert (letter["accession"], letter["error"], letter["images"]) == ("H-9", "It broke.", 0)
    assert charlie.api.read("/dead-letters/").json()["results"] == []


def test_rows_say_why_a_cell_is_flagged(alice, django_assert_num_queries):
    case = alice.case()
    add_cells(alice, case, "neutrophil", 0.9)
    add_cells(alice, case, "monocyte", 0.4, flagged=True)
    add_cells(alice, case, "basophil", 0.9, flagged=True, distance=1.5)
    add_cells(alice, case, "platelet", 0.4, flagged=True, distance=1.5)
    add_unusable(alice, case, Image.Status.REFUSED)
    alice.api.read(f"/cases/{case.id}/")  # that she opened it is recorded the first time
    with django_assert_num_queries(5):  # token, case, images, cells, predictions with their versions
        rows = alice.api.read(f"/cases/{case.id}/images/").json()["results"]
    assert [(row["flagged"], row["flagged_because"], row["distance"]) for row in rows] == [
        (False, [], 0.3),
        (True, ["low_confidence"], 0.3),
        (True, ["unlike_training"], 1.5),
        (True, ["low_confidence", "unlike_training"], 1.5),
        (None, [], None),
    ]
    one = alice.api.read(f"/images/{rows[2]['id']}/").json()
    assert [row["model"] for row in rows] == [*["hematovision 1"] * 4, None]
    assert (one["cell_class"], one["flagged_because"]) == ("unidentified", ["unlike_training"])
    (cell,) = one["cells"]
    assert cell["box"] == {"left": 0, "top": 0, "width": 360, "height": 363}
    assert (cell["number"], cell["confidence"], cell["probabilities"]) == (0, 0.9, one["probabilities"])
    assert {"cells"} & set(rows[0]) == set()  # the list says once what there is to say


def test_of_a_picture_with_several_cells_each_is_told_alone(alice):
    case = alice.case()
    image, other = add_cells(alice, case, "neutrophil", 0.9, 0.8)
    with scope(lab=alice.lab):
        Cell.objects.filter(image=other).update(image=image, number=1, left=10, top=20, width=30, height=40)
    row = alice.api.read(f"/images/{image.id}/").json()
    assert (row["cell_class"], row["confidence"], row["evidence"], row["probabilities"]) == (
        None,
        None,
        None,
        [],
    )
    assert [cell["confidence"] for cell in row["cells"]] == [0.9, 0.8]
    assert row["cells"][1]["box"] == {"left": 10, "top": 20, "width": 30, "height": 40}
    overlay = alice.api.read(f"/cells/{row['cells'][1]['id']}/evidence/")
    assert overlay.headers["Content-Type"] == "image/png"
    assert alice.api.read(f"/images/{image.id}/evidence/").status_code == 404
    found = alice.api.read(f"/cases/{case.id}/images/", cell_class="neutrophil").json()["results"]
    assert [row["id"] for row in found] == [image.id]  # once, however many of its cells are
