"""A second factor, set up and used in a browser: an authenticator app, a security key, recovery codes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.support import second_factor
from tests.support.stack import RunningStack


@pytest.fixture
def member(stack: RunningStack) -> dict[str, str]:
    """Somebody whom no other test signs in."""
    return stack.new_lab()["technician"]


@pytest.fixture
def at_localhost(screen):
    """Browsers use security keys only at an address with a name."""
    screen.url = screen.url.replace("127.0.0.1", "localhost")
    return screen


@pytest.fixture
def key(screen) -> Iterator[None]:
    """A security key in the port, and somebody who touches it when asked."""
    devtools = screen.page.context.new_cdp_session(screen.page)
    devtools.send("WebAuthn.enable")
    made = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": made})
    yield
    devtools.detach()


def password_again(screen, member) -> None:
    screen.page.context.clear_cookies()
    screen.page.goto(f"{screen.url}/accounts/login/")
    screen.page.get_by_label("E-mail").fill(member["email"])
    screen.page.get_by_label("Password").fill(member["password"])
    screen.page.get_by_role("button", name="Sign in").click()
    expect(screen.page.get_by_role("heading", level=1)).to_have_text("Two-factor authentication")


def test_a_security_key(at_localhost, key, member):
    screen, page = at_localhost, at_localhost.page
    screen.sign_in(member)
    page.goto(f"{screen.url}/accounts/2fa/webauthn/add/")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    page.get_by_label("I have saved my recovery codes").check()
    password_again(screen, member)
    page.get_by_role("button", name="Use a security key").click()
    expect(page.locator(".account")).to_be_visible()


def test_a_key_that_is_not_touched_is_told(at_localhost, member):
    screen, page = at_localhost, at_localhost.page
    screen.sign_in(member)
    page.goto(f"{screen.url}/accounts/2fa/webauthn/add/")
    page.evaluate(
        """() => navigator.credentials.create = async () => {
            throw new DOMException("", "NotAllowedError");
        }"""
    )
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing came from the key")


def test_an_authenticator_app_and_a_recovery_code(screen, member):
    page = screen.page
    screen.sign_in(member)
    page.goto(f"{screen.url}/accounts/2fa/totp/activate/")
    expect(page.locator(".qr svg")).to_be_visible()
    secret = page.get_by_label("Or type this into the app").input_value()
    page.get_by_label("Authenticator code").fill(second_factor.code(secret))
    page.get_by_role("button", name="Activate").click()
    codes = page.get_by_label("Unused codes").input_value().split()
    page.get_by_label("I have saved my recovery codes").check()
    password_again(screen, member)
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".account")).to_be_visible()
