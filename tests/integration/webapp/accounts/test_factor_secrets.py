"""What second factors are computed from: encrypted in the database, and sealed anew as keys rotate."""

import json

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.db import connection

from tests.integration.webapp.crypto.test_rotation import NEW, NEW_ID, OLD, OLD_ID, old_key, rotate
from tests.support import second_factor
from webapp.crypto import cipher, rotation
from webapp.crypto.cipher import Unreadable

__all__ = ["old_key"]
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SEED = "5eed" * 20


@pytest.fixture
def factors(alice, monkeypatch) -> tuple[TOTP, RecoveryCodes]:
    monkeypatch.setattr(RecoveryCodes, "generate_seed", lambda *_: SEED)
    return TOTP.activate(alice.membership.user, SECRET), RecoveryCodes.activate(alice.membership.user)


@pytest.fixture
def left_unencrypted(factors) -> None:
    """As an older installation wrote them."""
    Authenticator.objects.filter(type="totp").update(data={"secret": SECRET})
    Authenticator.objects.filter(type="recovery_codes").update(data={"seed": SEED, "used_mask": 5})


def on_disk() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator ORDER BY id")
        return json.dumps(cursor.fetchall())


def app_s_code_is_right() -> bool:
    cache.clear()  # within these thirty seconds there is no other code
    right: bool = Authenticator.objects.get(type="totp").wrap().validate_code(second_factor.code(SECRET))
    return right


def codes_left() -> list[str]:
    codes: list[str] = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    return codes


def test_the_database_does_not_have_them(factors):
    assert SECRET not in on_disk()
    assert SEED not in on_disk()
    assert on_disk().count(f"sealed:{OLD_ID}:") == 2
    assert app_s_code_is_right()
    assert len(codes_left()) == 10


def test_they_are_sealed_anew_with_the_current_key(factors, settings):
    codes = codes_left()
    assert factors[1].validate_code(codes[0])
    settings.DATA_KEYS = f"{NEW},{OLD}"
    assert rotation.rows_by_key() == {NEW_ID: 0, OLD_ID: 2}
    rotate()
    assert rotation.rows_by_key() == {NEW_ID: 2, OLD_ID: 0}
    settings.DATA_KEYS = NEW  # the old one is gone
    assert app_s_code_is_right()
    assert codes_left() == codes[1:]


def test_those_of_older_installations_are_read_and_encrypted_by_rotating(left_unencrypted):
    assert app_s_code_is_right()
    codes = codes_left()
    assert rotation.rows_by_key() == {OLD_ID: 0, "": 2}
    rotate()
    assert rotation.rows_by_key() == {OLD_ID: 2}
    assert SECRET not in on_disk()
    assert app_s_code_is_right()
    assert codes_left() == codes


def test_those_sealed_before_padding_are_padded_by_rotating(alice, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(cipher, "FORMAT", cipher.UNPADDED)
        before.setattr(cipher, "_padded", str.encode)
        TOTP.activate(alice.membership.user, SECRET)
    assert rotation.stale_rows() == 1
    rotate()
    assert rotation.stale_rows() == 0
    assert app_s_code_is_right()


def test_security_keys_have_nothing_to_seal(alice):
    Authenticator.objects.create(user=alice.membership.user, type="webauthn", data={"name": "A key"})
    assert rotation.rows_by_key() == {OLD_ID: 0}
    assert rotation.stale_rows() == 0


@pytest.mark.parametrize("spoiled", [f"sealed:{OLD_ID}:", f"sealed:{OLD_ID}:AQ==", f"sealed:{OLD_ID}:?"])
def test_what_was_tampered_with_opens_nothing(factors, spoiled):
    Authenticator.objects.filter(type="totp").update(data={"secret": spoiled})
    with pytest.raises(Unreadable):
        app_s_code_is_right()
