"""What browsers may keep."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from tests.support.pages import add_cells, cell_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]


def test_patients_pages_stay_in_nobodys_cache(alice) -> None:
    assert "no-store" in alice.browser.get(reverse("ui:worklist")).headers["Cache-Control"]


def test_where_a_picture_lies_is_asked_anew_each_time_and_it_is_kept_for_minutes(alice, settings) -> None:
    case = alice.case()
    (image,) = add_cells(alice, case, "neutrophil", 0.9)
    answers = [alice.browser.get(reverse("api:picture", args=[image.id])) for _ in range(2)]
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
    asked = parse_qs(urlsplit(answers[0]["Location"]).query)
    assert asked["response-cache-control"] == [f"private, max-age={settings.DOWNLOAD_KEPT_SECONDS}"]
    assert int(asked["X-Amz-Expires"][0]) <= 900
    overlay = alice.browser.get(reverse("api:evidence", args=[image.id])).headers
    assert overlay["Cache-Control"] == f"private, max-age={settings.DOWNLOAD_KEPT_SECONDS}"
    assert "Cookie" in overlay["Vary"]
    mosaic = alice.browser.get(reverse("ui:mosaic", args=[case.id, [cell_of(image).id]])).headers
    assert mosaic["Cache-Control"] == f"private, max-age={settings.DOWNLOAD_KEPT_SECONDS}, immutable"
    assert "Cookie" in mosaic["Vary"]


def test_signing_out_empties_the_browsers_cache(alice) -> None:
    browser = alice.browser
    assert "Clear-Site-Data" not in browser.get(reverse("ui:worklist")).headers
    assert browser.post(reverse("account_logout")).headers["Clear-Site-Data"] == '"cache"'
