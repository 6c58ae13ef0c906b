"""What is told where something is missing or goes wrong."""

import pytest
from django.urls import reverse

from webapp.cases import selectors

pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.mark.parametrize("path", ["/cases/nothing/", "/nothing/"])
def test_what_is_not_there_says_so_in_our_own_words(alice, path):
    response = alice.browser.get(path)
    assert response.status_code == 404
    assert b"There is nothing at this address" in response.content


def test_an_error_of_ours_tells_nothing_of_our_insides(alice, monkeypatch):
    monkeypatch.setattr("webapp.cases.selectors.progress_of", lambda cases: 1 / 0)
    browser = alice.browser
    browser.raise_request_exception = False
    response = browser.get(reverse("ui:worklist"))
    assert response.status_code == 500
    assert b"went wrong on our side" in response.content
    assert b"ZeroDivision" not in response.content


@pytest.mark.parametrize("page", [True, False], ids=["page", "api"])
def test_errors_tell_nothing_of_our_insides(alice, monkeypatch, page: bool) -> None:
    def fail() -> None:
        raise RuntimeError("secret-word in /srv/hematovision")

    monkeypatch.setattr(selectors, "cases", fail)
    client = alice.browser if page else alice.api
    client.raise_request_exception = False
    answer = client.get(reverse("ui:worklist") if page else "/api/v1/cases/")
    assert answer.status_code == 500
    for word in (b"secret-word", b"/srv", b"RuntimeError", b"Traceback"):
        assert word not in answer.content
