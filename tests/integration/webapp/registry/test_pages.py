"""The page of the models."""

import pytest
from django.utils import timezone

from tests.support.pages import page_of
from tests.support.people import person
from webapp.labs.permissions import Role
from webapp.registry.models import ModelVersion

pytestmark = pytest.mark.usefixtures("plain_static")


def test_models_are_shown_with_what_they_are_worth(alice):
    sue = person(alice.lab, "Sue", Role.SUPERVISOR)
    assert "No model is published" in page_of(sue, "models")
    scores = {
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
        "metrics": {"pbc_test": scores, "notes": "said by nobody", "empty": {"accuracy": None}},
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
    page = " ".join(page_of(sue, "models").split())
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
