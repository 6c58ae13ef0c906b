"""Messages wait sealed in the database until the mail server has them."""

from datetime import timedelta

import pytest
from django.core.mail import EmailMessage, send_mail
from django.utils import timezone

from tests.support.smtp import mail_server
from webapp.crypto import rotation
from webapp.mail import services
from webapp.mail.models import Message
from webapp.mail.sealing import open_message

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static", "fresh_rates", "mail_by_outbox")]
SECRET = "QX-CODE-7741"


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
    Message.objects.update(created_at=timezone.now() - timedelta(hours=settings.MAIL_RETRY_HOURS))
    services.deliver_next()
    assert not Message.objects.exists()
    assert "nora" not in caplog.text


@pytest.mark.parametrize(
    ("answer", "left"),
    [({"RCPT": 550}, 0), ({"RCPT": 451}, 1), ({"DATA": 554}, 0), ({"DATA": 451}, 1), ({"MAIL": 530}, 1)],
)
def test_what_is_rejected_for_good_is_dropped_and_what_is_deferred_waits(server, answer, left):
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
    services.enqueue(EmailMessage("For nobody", "text", None, []))
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
