"""Denials: on record, but never so often that they fill the disk."""

import time

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from redis.exceptions import RedisError

from webapp.audit.actions import Action
from webapp.audit.chain import INSTALLATION
from webapp.audit.context import Actor, Origin, acting
from webapp.audit.folding import record_denial
from webapp.audit.models import Entry

pytestmark = pytest.mark.usefixtures("fresh_rates")
ANN = Actor(7, "Ann Example")


def deny(lab, subject="“See cases”"):
    record_denial(Action.ACCESS_DENIED, lab=lab.id, subject=subject)


def denials(chain):
    found = Entry.objects.filter(chain=chain, action__startswith="access.").order_by("seq")
    return [entry.sentence for entry in found]


def test_repeated_denials_are_folded_into_the_powers_of_ten(lab):
    with acting(ANN):
        for _ in range(100):
            deny(lab)
    assert denials(lab.id) == [
        "Ann Example was denied “See cases”",
        "Ann Example was denied “See cases”, 10 times within a minute",
        "Ann Example was denied “See cases”, 100 times within a minute",
    ]


def test_a_minute_later_it_is_kept_again(lab, settings):
    settings.AUDIT_DENIALS_SECONDS = 1
    with acting(ANN):
        deny(lab)
        time.sleep(1.1)
        deny(lab)
    assert denials(lab.id) == 2 * ["Ann Example was denied “See cases”"]


def test_one_who_probes_many_things_is_bounded(lab, settings):
    with acting(ANN):
        for number in range(99):
            deny(lab, f"thing {number}")
    assert len(denials(lab.id)) == settings.AUDIT_DENIALS_OF_ONE


def test_many_addresses_together_are_bounded(lab, settings):
    for number in range(99):
        with acting(Actor(None, "nobody"), origin=Origin(f"192.0.2.{number}")):
            deny(lab)
    assert len(denials(lab.id)) == settings.AUDIT_DENIALS_OF_ALL


def test_without_the_cache_everything_is_kept(lab, monkeypatch):
    def away(*_):
        raise RedisError

    monkeypatch.setattr(cache, "add", away)
    with acting(ANN):
        deny(lab)
        deny(lab)
    assert len(denials(lab.id)) == 2


def test_pages_and_api_record_what_they_deny(bob, plain_static):
    assert bob.browser.get(reverse("ui:worklist")).status_code == 403
    assert bob.api.read("/cases/").status_code == 403
    kept = Entry.objects.filter(chain=bob.lab.id, action="access.denied", actor_name="Bob")
    assert [(entry.sentence, entry.token) for entry in kept.order_by("seq")] == [
        ("Bob was denied “See cases, their images and counts”", "")
    ]


def test_another_labs_case_is_denied_on_record(alice, charlie):
    case = alice.case()
    charlie.api.read(f"/cases/{case.id}/")
    (entry,) = Entry.objects.filter(chain=charlie.lab.id, action="access.denied")
    assert (entry.actor_name, entry.subject_id) == ("Charlie", f"case {case.id}")
    assert entry.token == charlie.token[:11]


def test_a_false_token_is_on_the_installations_record(db):
    Client(headers={"Authorization": "Bearer hv_made-up"}).get("/api/v1/cases/")
    assert denials(INSTALLATION) == [
        "Somebody who has not signed in was denied access with an invalid API token"
    ]
    assert Entry.objects.get(chain=INSTALLATION).address == "127.0.0.1"
