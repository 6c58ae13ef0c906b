"""The page that says how the installation is."""

import datetime as dt

import pytest
from django.db import DatabaseError
from django_scopes import scope

from webapp.inference.models import Chunk
from webapp.operations import health, status
from webapp.outbox.models import Delivery
from webapp.outbox.queues import Queue


def shown(client) -> tuple[int, str]:
    answer = client.get("/status/")
    return answer.status_code, " ".join(answer.content.decode().split())


@pytest.mark.usefixtures("plain_static")
class TestStatusPage:
    @pytest.fixture(autouse=True)
    def always_asked_anew(self, settings):
        settings.STATUS_KEPT_SECONDS = -1.0

    def test_all_is_well(self, client, db, model):
        code, page = shown(client)
        assert code == 200
        assert "Everything works" in page
        assert "No image waits" in page

    def test_images_that_wait_are_told_of(self, alice, client):
        with scope(lab=alice.lab):
            Chunk.objects.create(lab=alice.lab, case=alice.case(), queue=Queue.INTERACTIVE)
            Chunk.objects.update(created_at=Chunk.objects.get().created_at - dt.timedelta(minutes=7))
        _, page = shown(client)
        assert "<h1>Images wait</h1>" in page
        assert "the oldest for 7" in page

    def test_events_that_are_dead_letters_are_told_of(self, alice, client, model):
        Delivery.objects.create(lab=alice.lab, consumer="c", event={}, state=Delivery.State.DEAD)
        code, page = shown(client)
        assert code == 200
        assert "Everything works" not in page
        assert "1 notification or other message could not be passed on" in page

    def test_a_model_that_is_away_is_said_in_plain_words(self, client, db, settings):
        settings.SERVING_TARGET = "127.0.0.1:1"
        code, page = shown(client)
        assert code == 200
        assert page.count("Does not work") == 1
        assert "Uploaded images are kept" in page
        assert "127.0.0.1" not in page
        assert "grpc" not in page.lower()

    def test_it_answers_whoever_asks_while_the_database_is_away(self, alice, monkeypatch):
        browser = alice.browser

        def away():
            raise DatabaseError

        monkeypatch.setattr(health, "_database", away)
        monkeypatch.setattr(status, "_waiting_since", lambda: None)
        code, page = shown(browser)
        assert code == 503
        assert page.count("Does not work") == 3

    def test_nobody_is_looked_up_for_it(self, alice, monkeypatch, django_assert_num_queries):
        now = status.current()
        monkeypatch.setattr(status, "current", lambda: now)
        browser = alice.browser
        with django_assert_num_queries(0):
            shown(browser)
