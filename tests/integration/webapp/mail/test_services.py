"""Messages wait sealed in the database until the mail server has them, and tell nobody who has an account."""

import re
from collections import Counter
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.mail import EmailMessage, send_mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.support.pages import plain_static
from tests.support.people import PASSWORD
from tests.support.smtp import mail_server
from webapp.accounts.models import User
from webapp.crypto import rotation
from webapp.mail import services
from webapp.mail.models import Message
from webapp.mail.sealing import open_message

__all__ = ["plain_static"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]
SECRET = "QX-CODE-7741"


@pytest.fixture(autouse=True)
def _as_in_production(settings):
    settings.EMAIL_BACKEND = "webapp.mail.backend.OutboxBackend"
    cache.clear()


@pytest.fixture
def server(settings):
    with mail_server() as server:
        settings.MAIL_TRANSPORT = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def mail_a_secret() -> Message:
    send_mail("Your code", SECRET, None, ["nora@hospital.example"])
    return Message.objects.get()


def due_again() -> timedelta:
    """In how long the one message is tried next; it is made due now."""
    row = Message.objects.get()
    wait = row.not_before - timezone.now()
    Message.objects.update(not_before=timezone.now())
    return wait


# --- the way of a message -----------------------------------------------------------------------------------


def test_a_message_lies_sealed_until_it_is_handed_over_and_then_no_more(server):
    row = mail_a_secret()
    assert SECRET not in row.sealed
    assert "nora" not in row.sealed
    assert services.deliver_next()
    (taken,) = server.taken
    assert (taken["To"], taken["Subject"]) == ("nora@hospital.example", "Your code")
    assert SECRET in taken.get_payload()
    assert not Message.objects.exists()
    assert not services.deliver_next()


def test_it_opens_in_its_own_row_alone(server):
    stolen = mail_a_secret().sealed
    Message.objects.create(sealed=stolen, not_before=timezone.now() - timedelta(hours=1))
    services.deliver_next()
    assert (server.taken, Message.objects.count()) == ([], 1)


def test_a_mail_server_that_is_away_is_asked_again_for_a_day(settings, caplog):
    settings.MAIL_TRANSPORT = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    mail_a_secret()
    pauses = []
    for _ in range(12):
        assert services.deliver_next()
        assert not services.deliver_next()
        pauses.append(due_again())
    seconds = [round(pause.total_seconds()) for pause in pauses]
    assert seconds == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]
    Message.objects.update(created_at=timezone.now() - timedelta(hours=settings.MAIL_RETRIED_HOURS))
    services.deliver_next()
    assert not Message.objects.exists()
    assert "nora" not in caplog.text


@pytest.mark.parametrize(
    ("answer", "left"),
    [({"RCPT": 550}, 0), ({"RCPT": 451}, 1), ({"DATA": 554}, 0), ({"DATA": 451}, 1), ({"MAIL": 530}, 1)],
)
def test_what_is_refused_for_good_is_given_up_and_what_is_put_off_waits(server, answer, left):
    server.answer |= answer
    mail_a_secret()
    services.deliver_next()
    assert Message.objects.count() == left
    assert server.taken == []


def test_one_that_cannot_be_built_stops_no_other(server):
    EmailMessage("two\nlines", SECRET, None, ["nora@hospital.example"]).send()
    send_mail("Another", "text", None, ["nora@hospital.example"])
    while services.deliver_next():
        pass
    assert [taken["Subject"] for taken in server.taken] == ["Another"]
    assert not Message.objects.exists()


def test_one_to_nobody_goes_nowhere(server):
    services.post(EmailMessage("For nobody", "text", None, []))
    services.deliver_next()
    assert (server.taken, Message.objects.exists()) == ([], False)


def test_what_waits_is_sealed_anew_when_keys_rotate(settings, tmp_path):
    row = mail_a_secret()
    path = settings.DATA_KEYS_FILE
    new = tmp_path / "data_keys"
    new.write_text("2030-01-01-new:" + "A" * 43 + "=\n" + path.read_text())
    settings.DATA_KEYS_FILE = new
    assert rotation.stale_rows() == 1
    list(rotation.rotate())
    row.refresh_from_db()
    assert row.sealed.startswith("sealed:2030-01-01-new:")
    assert open_message(row).body == SECRET


# --- nobody learns from the work who has an account ---------------------------------------------------------


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
