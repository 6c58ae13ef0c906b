"""The OpenAPI document."""

import pytest

from tests.support.spoken import spoken
from webapp.audit.actions import Action
from webapp.cases.refusals import Refusal

pytestmark = pytest.mark.usefixtures("fresh_rates")


def test_openapi_describes_every_endpoint(client, db):
    text = client.get("/api/v1/schema/").content.decode()
    for path in (
        "/cases/{case_id}/uploads/renew/",
        "/images/{image_id}/evidence/",
        "/cells/{cell_id}/evidence/",
        "/tokens/",
    ):
        assert path in text


def test_it_is_the_same_in_every_language(client):
    english = client.get("/api/v1/schema/").content
    german = {
        Action.CASE_CREATED.label: "legte Fall {subject} an",
        Refusal.EMPTY.label: "Die Datei ist leer.",
    }
    with spoken({str(text): said for text, said in german.items()}):
        assert client.get("/api/v1/schema/").content == english
