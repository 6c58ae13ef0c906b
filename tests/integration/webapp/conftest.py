import pytest
from django.core.cache import cache
from django.urls import reverse

from tests.support import second_factor
from tests.support.pages import plain_static

__all__ = ["plain_static"]


@pytest.fixture
def fresh_rates(services):
    """Nothing has been counted yet."""
    cache.clear()


@pytest.fixture
def mail_by_outbox(settings):
    """As in production."""
    settings.EMAIL_BACKEND = "webapp.mail.backend.OutboxBackend"


@pytest.fixture
def with_app(alice) -> tuple[str, list[str]]:
    """Alice has an authenticator app: its secret, and the recovery codes that came with it."""
    browser = alice.browser
    activate = reverse("mfa_activate_totp")
    secret = browser.get(activate).context["form"].secret
    browser.post(activate, {"code": second_factor.code(secret)})
    codes = browser.get(reverse("mfa_view_recovery_codes")).context["unused_codes"]
    cache.clear()  # the code is used, and within these thirty seconds there is no other
    return secret, codes
