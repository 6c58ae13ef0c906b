"""Probes: alive, and ready for requests."""

import datetime as dt

import pytest
from django.db import connection

from serving.contract import MODEL_NAME
from tests.support.embedded import embedded_server
from tests.support.tiny_model import make_version
from tests.support.tls import certificate
from webapp.operations import health

pytestmark = pytest.mark.usefixtures("fresh_rates")


def test_probes(client, db):
    assert client.get("/healthz").status_code == 200
    body = client.get("/readyz").json()
    assert body["database"] == body["storage"] == "ok"


def test_a_model_server_without_a_model_is_not_called_well(client, db, settings, tmp_path):
    with embedded_server(tmp_path) as server:
        settings.SERVING_TARGET, settings.SERVING_CHANNEL = server.target, None
        answer = client.get("/readyz")
        assert answer.status_code == 200  # images are kept all the same
        assert answer.json()["model"] == "failed: no model is loaded"
        make_version(tmp_path / MODEL_NAME, 1)
        server.wait_ready()
        assert client.get("/readyz").json()["model"] == "ok"


def test_not_ready_with_an_expired_certificate(client, db, settings, tmp_path):
    settings.WATCHED_CERTIFICATES = [certificate(tmp_path / "old.pem", ends=-dt.timedelta(days=1))]
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["certificates"] == "failed: old.pem has expired or cannot be read"


def test_not_ready_before_the_database_is_as_the_release_needs_it(client, db, monkeypatch):
    monkeypatch.setattr(health, "_migrated", False)
    assert client.get("/readyz").json()["migrations"] == "ok"
    monkeypatch.setattr(health, "_migrated", False)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'review'"
            " AND name = (SELECT max(name) FROM django_migrations WHERE app = 'review')"
        )
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["migrations"] == "failed: 1 migrations are pending"
