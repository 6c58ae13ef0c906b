"""What each page of cases asks of the database, whatever the case's size: held to `queries.toml`.

A number there may be raised, knowingly; that it is the same for both sizes is the point.
"""

import tomllib
from pathlib import Path

import pytest
from django.urls import reverse
from django_scopes import scope

from tests.permissions.endpoints import ENDPOINTS, path_of
from tests.support.pages import add_cells, add_unusable, cell_of, plain_static, queries
from tests.support.people import Person, person
from tests.support.review import decide
from webapp.cases.models import Image
from webapp.cases.selectors import cells
from webapp.labs.permissions import Permission, Role, allows
from webapp.review.models import Reading
from webapp.review.services import open_reading

__all__ = ["plain_static"]
pytestmark = pytest.mark.usefixtures("plain_static")

BASELINES: dict[str, int] = tomllib.loads((Path(__file__).parent / "queries.toml").read_text())
FEW, MANY = {"neutrophil": 2, "monocyte": 1}, {"neutrophil": 130, "monocyte": 40}
QUERIES = {"api/v1/readings/<int:reading_id>/changes/": "?since=0"}
LEAD_ON = {"cases/new/", "api/v1/images/<int:image_id>/picture/"}  # redirects
# Of a case that was signed: tests/integration/webapp/results/test_pages.py.
OF_RESULTS = {route for route in ENDPOINTS if route.endswith(("/sign/", "/amend/", "/void/"))} | {
    route for route in ENDPOINTS if "/result" in route
}
OF_CASES = {
    route
    for route, methods in ENDPOINTS.items()
    if "GET" in methods
    and any(noun in route for noun in ("cases/", "images/", "cells/", "readings/", "worklist/"))
}


def fill(person: Person, case, sizes: dict[str, int]) -> Image:
    """Cells of several classes, flagged and not, and files that are none; returns an image."""
    for cell_class, n in sizes.items():
        add_cells(person, case, cell_class, *(0.6 + place / 1000 for place in range(n)))
    add_cells(person, case, "neutrophil", *[0.4] * sizes["neutrophil"], flagged=True)
    add_unusable(person, case, Image.Status.REFUSED, sizes["monocyte"])
    add_unusable(person, case, Image.Status.FAILED, sizes["monocyte"])
    add_unusable(person, case, Image.Status.RECEIVED, sizes["monocyte"])
    with scope(lab=person.lab):
        return Image.objects.filter(case=case, name__startswith="neutrophil").latest("id")


@pytest.fixture(params=["few", "many"])
def places(request, alice) -> dict[str, object]:
    """What the variables of addresses stand for, in a lab with little or with much."""
    many = request.param == "many"
    case = alice.case()
    image = fill(alice, case, MANY if many else FEW)
    for number in range(60 if many else 1):
        alice.case(f"Another {number}")
    shown = [cell.id for cell in case_cells(alice, case)]
    return {
        "case_id": case.id,
        "image_id": image.id,
        "cell_id": cell_of(image).id,
        "reading_id": half_decided(alice, case),
        "cell_ids": "-".join(map(str, shown[:96])),
    }


def half_decided(person: Person, case) -> int:
    """The case's first reading, in which every other cell was decided."""
    user = person.membership.user
    with scope(lab=person.lab):
        reading = open_reading(case, Reading.Kind.FIRST, reader=user)
        decide(reading, [cell.id for cell in cells(case).order_by("id")][::2], "blast", by=user)
    return reading.id


def case_cells(person: Person, case):
    with scope(lab=person.lab):
        return list(cells(case).order_by("-id"))


def test_every_page_of_cases_has_a_baseline():
    assert set(BASELINES) == OF_CASES - LEAD_ON - OF_RESULTS


@pytest.mark.parametrize("route", sorted(BASELINES))
def test_a_page_costs_so_many_queries_and_no_more(alice, places, route):
    asker, needed = alice, ENDPOINTS[route]["GET"]
    if isinstance(needed, Permission) and not allows(Role.TECHNICIAN, needed):
        asker = person(alice.lab, "Sue", Role.SUPERVISOR)
    client = asker.api if route.startswith("api/") else asker.browser
    path = path_of(route, places) + QUERIES.get(route, "")
    client.get(path)  # what is recorded at a first visit is
    assert queries(client, path) == BASELINES[route]


def test_a_class_alone_costs_the_same_for_few_and_for_many(alice, places):
    path = f"{reverse('ui:case', args=[places['case_id']])}?class=neutrophil"
    alice.browser.get(path)
    assert queries(alice.browser, path) == BASELINES["cases/<uuid:case_id>/"]
