"""Nobody learns from the answer, or from the work for it, who has an account."""

import re
from collections import Counter

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.support.people import PASSWORD
from webapp.accounts.models import User
from webapp.mail.models import Message

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static", "fresh_rates", "mail_by_outbox")]


def work(
    path: str, fields: dict[str, str], *, by: Client | None = None, hashes: list[str]
) -> dict[str, object]:
    """What posting a form sets to work: statements by kind and table, messages, runs of the password hash."""
    before, hashed = Message.objects.count(), len(hashes)
    with CaptureQueriesContext(connection) as queries:
        answer = (by or Client()).post(reverse(path), fields)
    return {
        "answer": (answer.status_code, answer.headers.get("Location")),
        "queries": Counter(_kind(query["sql"]) for query in queries.captured_queries),
        "messages": Message.objects.count() - before,
        "hashes": len(hashes) - hashed,
    }


def _kind(sql: str) -> str:
    tables = re.findall(r'(?:FROM|INTO|UPDATE) "(\w+)"', sql)
    return f"{sql.split()[0]} {' '.join(tables)}"


@pytest.fixture
def hashes(monkeypatch, settings) -> list[str]:
    """Runs of the password hash, whichever way it is called."""
    from django.contrib.auth.hashers import MD5PasswordHasher

    runs: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self, password, salt):
        runs.append("run")
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return runs


STRANGER = "stranger@else.example"


@pytest.mark.parametrize("path", ["account_request_login_code", "account_reset_password"])
def test_asking_for_a_code_is_the_same_work_for_everybody(alice, path, hashes):
    work(path, {"email": "warm@up.example"}, hashes=hashes)
    known = work(path, {"email": alice.membership.user.email}, hashes=hashes)
    unknown = work(path, {"email": STRANGER}, hashes=hashes)
    assert known == unknown
    assert known["messages"] == 1


def test_so_is_asking_for_a_closed_account(alice, hashes):
    User.objects.update(is_active=False)
    known = work("account_reset_password", {"email": alice.membership.user.email}, hashes=hashes)
    assert known["messages"] == 1


def test_sending_a_code_again_is_the_same_work(alice, hashes):
    done = []
    for email in ("warm@up.example", alice.membership.user.email, STRANGER):
        browser = Client()
        browser.post(reverse("account_request_login_code"), {"email": email})
        done.append(work("account_confirm_login_code", {"action": "resend"}, by=browser, hashes=hashes))
    _, known, unknown = done
    assert known["messages"] == unknown["messages"] == 1
    assert known["answer"] == unknown["answer"]


def test_signing_up_hashes_and_mails_for_a_known_address_as_for_a_new_one(alice, settings, hashes):
    settings.SIGN_UP = "open"
    form = {"name": "Nora", "password1": PASSWORD}
    new = work("account_signup", {**form, "email": STRANGER}, hashes=hashes)
    known = work("account_signup", {**form, "email": alice.membership.user.email}, hashes=hashes)
    assert (known["answer"], known["messages"], known["hashes"]) == (
        new["answer"],
        new["messages"],
        new["hashes"],
    )
    assert known["hashes"] == known["messages"] == 1


def test_a_wrong_password_is_hashed_for_known_and_unknown_and_those_without_one(alice, bob, hashes):
    User.objects.filter(pk=bob.membership.user.pk).update(password="!none")
    runs = {
        email: work("account_login", {"login": email, "password": "wrong"}, hashes=hashes)["hashes"]
        for email in (alice.membership.user.email, bob.membership.user.email, STRANGER)
    }
    assert set(runs.values()) == {1}
