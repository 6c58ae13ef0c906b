"""Times that people are told are those of the settings."""

import pytest
from allauth.core import context
from django.test import RequestFactory

from webapp.accounts.adapters import AccountAdapter
from webapp.accounts.wording import minutes


@pytest.mark.parametrize(
    ("seconds", "words"), [(60, "1 minute"), (61, "2 minutes"), (300, "5 minutes"), (900, "15 minutes")]
)
def test_seconds_are_told_in_minutes(seconds, words):
    assert minutes(seconds) == words


@pytest.mark.parametrize(
    ("mail", "setting"),
    [
        ("login_code", "ACCOUNT_LOGIN_BY_CODE_TIMEOUT"),
        ("nobody", "ACCOUNT_LOGIN_BY_CODE_TIMEOUT"),
        ("password_reset_code", "ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT"),
    ],
)
def test_a_mail_says_for_how_long_its_code_is_good(mail, setting, settings):
    setattr(settings, setting, 7 * 60)
    request = RequestFactory().get("/")
    with context.request_context(request):
        message = AccountAdapter(request).render_mail(f"account/email/{mail}", "a@example.org", {"code": "1"})
    assert "good for 7 minutes:" in message.body


def test_whoever_tried_too_often_is_told_how_long_attempts_count(settings):
    told = AccountAdapter.error_messages["too_many_login_attempts"]
    assert minutes(settings.LOGIN_FAILED_SECONDS) in told
    assert f"5/{settings.LOGIN_FAILED_SECONDS}s/key" in settings.ACCOUNT_RATE_LIMITS["login_failed"]
