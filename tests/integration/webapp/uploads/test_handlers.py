"""Files that come in the body of a request."""

import io

import pytest
from django.test import Client

pytestmark = pytest.mark.usefixtures("fresh_rates")


def test_files_are_kept_only_where_they_are_asked_for(alice, settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    settings.UPLOAD_MAX_BYTES = 1000
    large = io.BytesIO(bytes(5_000_000))
    large.name = "large.jpg"
    assert Client().post("/accounts/login/", {"file": large}).status_code == 413
    large.seek(0)
    case = alice.case()
    (row,) = alice.api.post(f"/api/v1/cases/{case.id}/images/", {"files": large}).json()
    assert row["reason"]["code"] == "too_large"
    assert alice.api.post(f"/api/v1/cases/{case.id}/images/", {"file": large}).status_code == 400
