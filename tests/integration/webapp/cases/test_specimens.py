"""Specimens, slides and scanners by page and API: all optional, texts for those who may see patients."""

import json
import re

import pytest
from django_scopes import scope

from tests.support.pages import add_cells
from tests.support.people import person
from webapp.audit.models import Entry
from webapp.cases.models import Case, Image, Specimen
from webapp.cases.specimen_services import add_scanner, add_slide
from webapp.labs.permissions import Role

pytestmark = pytest.mark.usefixtures("plain_static")

FACTS = {
    "collected_at": "2026-11-20T08:30:00Z",
    "received_at": "2026-11-20T09:00:00Z",
    "material": "blood",
    "anticoagulant": "edta",
}
TEXTS = {
    "requester": "Dr Adler",
    "ordering_unit": "Ward 3",
    "clinical_question": "Relapse?",
    "comment": "Clotted\na little.",
}


@pytest.fixture
def case(alice):
    return alice.case("A-1")


@pytest.fixture
def admin(alice):
    """Sees cases and sets the lab up; sees no patients."""
    return person(alice.lab, "Ann", Role.ADMIN)


def patch(someone, case, body):
    path = f"/api/v1/cases/{case.id}/specimen/"
    return someone.api.generic("PATCH", path, json.dumps(body), content_type="application/json")


def test_a_case_needs_no_specimen(alice, case):
    answer = alice.api.read(f"/cases/{case.id}/specimen/").json()
    assert not any(answer.values())
    assert patch(alice, case, {"material": ""}).status_code == 200
    with scope(lab=alice.lab):
        assert not Specimen.objects.exists()


def test_the_api_takes_and_gives_it(alice, admin, case):
    assert patch(alice, case, {**FACTS, **TEXTS}).json() == {**FACTS, **TEXTS, "unreadable": []}
    assert patch(alice, case, {"material": "marrow"}).json()["anticoagulant"] == "edta"
    assert admin.api.read(f"/cases/{case.id}/specimen/").json() == {
        **FACTS,
        "material": "marrow",
        "unreadable": [],
    }
    entry = Entry.objects.filter(chain=alice.lab.id, action="case.specimen_changed").last()
    assert "Ward 3" not in str(vars(entry))


def test_texts_need_the_right_to_enter_patients(admin, case):
    assert patch(admin, case, {"comment": "Clotted"}).status_code == 403
    assert patch(admin, case, {"material": "blood"}).status_code == 200


def test_a_text_tampered_with_is_named(alice, case):
    patch(alice, case, {**FACTS, **TEXTS})
    with scope(lab=alice.lab):
        specimen = Specimen.objects.get()
        Specimen.objects.update(comment=specimen.__dict__["ordering_unit"])
    answer = alice.api.read(f"/cases/{case.id}/specimen/").json()
    assert answer["unreadable"] == ["comment"]
    assert "comment" not in answer
    assert "Comment cannot be decrypted" in alice.browser.get(f"/cases/{case.id}/").content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"collected_at": "2026-11-20T10:00:00Z", "received_at": "2026-11-20T09:00:00Z"},
        {"collected_at": "9999-12-31T23:59:59-14:00"},
        {"received_at": "0001-01-01T00:00:00+14:00"},
        {"collected_at": "2999-01-01T00:00:00Z"},
        {"material": "liver"},
        {"collected_at": "yesterday"},
        {"comment": "4" * 1001},
    ],
    ids=str,
)
def test_what_cannot_be_is_rejected(alice, case, wrong):
    assert patch(alice, case, wrong).status_code == 400


def test_received_is_held_against_what_was_known(alice, case):
    patch(alice, case, FACTS)
    assert patch(alice, case, {"received_at": "2026-11-20T08:00:00Z"}).status_code == 400


def test_pages_enter_and_show_it(alice, case):
    alice.lab.time_zone = "Europe/Vienna"
    alice.lab.save()
    sent = {"collected_at": "2026-11-20T09:30", "material": "blood", **TEXTS}
    shown = alice.browser.post(f"/cases/{case.id}/specimen/", sent, follow=True).content.decode()
    for text in (
        "20 Nov 2026, 09:30 CET",
        "Peripheral blood",
        "Dr Adler",
        "Ward 3",
        "Relapse?",
        "Clotted<br>a little.",
    ):
        assert text in shown
    page = f"/cases/{case.id}/specimen/"
    assert 'value="2026-11-20T09:30"' in alice.browser.get(page).content.decode()
    wrong = alice.browser.post(page, {**sent, "received_at": "2026-11-20T09:00"})
    assert wrong.status_code == 422
    assert "after it was collected" in wrong.content.decode()


def test_slides_and_scanners(alice, admin, case):
    made = admin.api.send(
        "/lab/scanners/", {"make": "Imaginary", "model": "X1", "micrometres_per_pixel": "0.1"}
    )
    scanner = made.json()["id"]
    assert made.status_code == 201
    assert admin.api.send("/lab/scanners/", {"make": "Imaginary", "model": "X1"}).status_code == 409
    assert alice.api.send("/lab/scanners/", {"make": "Y"}).status_code == 403
    sent = {"label": "A-1/1", "stain": "wright", "scanner": scanner}
    slide = alice.api.send(f"/cases/{case.id}/slides/", sent)
    assert slide.status_code == 201
    assert alice.api.send(f"/cases/{case.id}/slides/", sent).status_code == 409
    assert alice.api.read(f"/cases/{case.id}/slides/").json() == [slide.json()]
    assert "A-1/1, Wright, Imaginary X1" in alice.browser.get(f"/cases/{case.id}/").content.decode()
    used = admin.api.delete(f"/api/v1/lab/scanners/{scanner}/")
    assert (used.status_code, used.json()["error"]["code"]) == (409, "in_use")
    path = f"/api/v1/cases/{case.id}/slides/{slide.json()['id']}/"
    assert alice.api.delete(path).status_code == 204
    assert admin.api.delete(f"/api/v1/lab/scanners/{scanner}/").status_code == 204


def test_another_labs_scanner_is_none(alice, charlie, case):
    with scope(lab=charlie.lab):
        theirs = add_scanner(charlie.lab, make="Imaginary")
    sent = {"label": "1", "scanner": theirs.id}
    assert alice.api.send(f"/cases/{case.id}/slides/", sent).status_code == 400
    assert alice.api.read("/lab/scanners/").json() == []


def test_pages_of_slides_and_scanners(alice, admin, case):
    settings = admin.browser.post("/lab/scanners/", {"make": "Imaginary"}, follow=True)
    assert "Imaginary" in settings.content.decode()
    assert admin.browser.post("/lab/scanners/", {"make": "Imaginary"}).status_code == 409
    assert admin.browser.post("/lab/scanners/", {"micrometres_per_pixel": "-1"}).status_code == 422
    shown = alice.browser.post(f"/cases/{case.id}/slides/", {"label": "1"}, follow=True)
    assert shown.redirect_chain[-1][0].endswith("#slides")
    assert "Remove" in shown.content.decode()
    again = alice.browser.post(f"/cases/{case.id}/slides/", {"label": "1"})
    assert again.status_code == 409
    (focused,) = re.findall(r"<[^>]*autofocus[^>]*>", again.content.decode())
    assert 'name="label"' in focused
    alice.browser.post(f"/cases/{case.id}/slides/", {"label": "2"})
    facts = alice.browser.get(f"/cases/{case.id}/").content.decode()
    assert "<dt>Slides</dt><dd>1</dd><dd>2</dd>" in facts
    with scope(lab=alice.lab):
        other = add_slide(alice.case("A-2"), label="1")
    assert alice.browser.post(f"/cases/{case.id}/slides/{other.id}/remove/").status_code == 404


def test_of_which_slide_images_are_is_corrected_on_record(alice, admin, case, charlie):
    images = add_cells(alice, case, "neutrophil", 0.9, 0.8)
    (others,) = add_cells(alice, alice.case("A-2"), "neutrophil", 0.9)
    with scope(lab=alice.lab):
        one, two = (add_slide(case, label=label) for label in "12")
        not_its = add_slide(others.case, label="1")
    address = f"/api/v1/cases/{case.id}/images/slide/"

    def put(someone, body):
        return someone.api.generic("PUT", address, json.dumps(body), content_type="application/json")

    both = [image.id for image in images]
    assert put(alice, {"images": [*both, others.id], "slide": one.id}).json() == {"changed": 2}
    assert put(alice, {"images": both, "slide": one.id}).json() == {"changed": 0}
    assert put(alice, {"images": both[:1], "slide": two.id}).json() == {"changed": 1}
    assert put(alice, {"images": both[1:], "slide": None}).json() == {"changed": 1}
    assert put(alice, {"images": both, "slide": not_its.id}).status_code == 404
    assert put(alice, {"images": ["x"], "slide": None}).status_code == 400
    assert put(charlie, {"images": both, "slide": None}).status_code == 404
    with scope(lab=alice.lab):
        assert dict(Image.objects.values_list("id", "slide")) == {
            both[0]: two.id,
            both[1]: None,
            others.id: None,
        }
    said = Entry.objects.filter(chain=alice.lab.id, action="case.images_slide_set").order_by("seq")
    assert [one.after for one in said] == [
        {"images": 2, "slide": "1"},
        {"images": 1, "slide": "2"},
        {"images": 1, "slide": None},
    ]

    page = alice.browser.get(f"/cases/{case.id}/files/").content.decode()
    assert f'name="images" value="{both[0]}"' in page
    alice.browser.post(f"/cases/{case.id}/files/slide/", {"images": both, "slide": one.id})
    for bad in (
        {"images": both, "slide": not_its.id},
        {"slide": one.id},
        {"images": [others.id], "slide": one.id},
    ):
        told = alice.browser.post(f"/cases/{case.id}/files/slide/", bad, follow=True).content.decode()
        assert "Tick files" in told
    with scope(lab=alice.lab):
        assert set(Image.objects.filter(case=case).values_list("slide", flat=True)) == {one.id}
        Case.objects.filter(id=case.id).update(review="signed")
    assert put(alice, {"images": both, "slide": two.id}).json()["error"]["code"] == "review_over"
    assert 'name="images"' not in alice.browser.get(f"/cases/{case.id}/files/").content.decode()
