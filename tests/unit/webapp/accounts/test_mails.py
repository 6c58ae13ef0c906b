"""Times that people are told are those of the settings."""

import pytest
from allauth.core import context
from django.test import RequestFactory
from django.utils import translation

from webapp.accounts.adapters import AccountAdapter
from webapp.accounts.wording import house_style, minutes, too_many_attempts, too_many_codes


@pytest.mark.parametrize(("seconds", "told"), [(60, 1), (61, 2), (300, 5), (900, 15)])
def test_seconds_are_told_in_minutes(seconds, told):
    assert minutes(seconds) == told


@pytest.mark.parametrize(("seconds", "words"), [(60, "Wait 1 minute,"), (900, "Wait 15 minutes,")])
def test_how_long_to_wait_is_said_in_one_minute_or_several(seconds, words, settings):
    settings.LOGIN_FAILED_SECONDS = seconds
    assert words in too_many_attempts()
    assert words in too_many_codes()


def test_the_house_style_is_that_of_english_alone():
    assert house_style("Change Email Address") == "Change e-mail address"
    with translation.override("de"):
        assert house_style("E-Mail-Adresse ändern") == "E-Mail-Adresse ändern"


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
    assert f"Wait {minutes(settings.LOGIN_FAILED_SECONDS)} minutes," in str(told)
    assert f"5/{settings.LOGIN_FAILED_SECONDS}s/key" in settings.ACCOUNT_RATE_LIMITS["login_failed"]
