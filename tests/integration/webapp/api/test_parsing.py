"""Bodies of requests."""

import pytest

pytestmark = pytest.mark.usefixtures("fresh_rates")


def test_broken_json_is_told(alice):
    response = alice.api.post("/api/v1/cases/", "{", content_type="application/json")
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "parse_error"
