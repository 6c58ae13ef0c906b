"""The OpenAPI document."""

import pytest

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
