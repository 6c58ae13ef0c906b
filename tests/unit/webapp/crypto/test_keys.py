"""Data keys as they are written."""

import base64

import pytest

from tests.support.data_keys import NEW, OLD, key
from webapp.crypto.keys import InvalidKeys, Keyring


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "no key"),
        ("secret", "id:base64"),
        (f"a-key:{base64.b64encode(bytes(32)).decode()}", "beginning with the day"),
        (f"2026-02-31:{base64.b64encode(bytes(32)).decode()}", "beginning with the day"),
        ("2026-01-31:c2hvcnQ=", "has 5 bytes, not 32"),
        ("2026-01-31:not base64!", "is not base64"),
        (f"{OLD},{key('2025-01-31', 3)}", "same id"),
        (f"{OLD},{key('2026-01-31', 1)}", "under two ids"),
    ],
)
def test_malformed_keys_are_rejected_and_not_shown(written, why):
    with pytest.raises(InvalidKeys, match=why) as refused:
        Keyring.parse(written)
    for secret in ("c2hvcnQ", "AAAA", "AQEB"):
        assert secret not in str(refused.value)


def test_keys_show_nowhere():
    keys = Keyring.parse(f"{NEW},{OLD}")
    for shown in (repr(keys), str(keys), f"{keys.current}"):
        assert "AQEB" not in shown
        assert "\\x01\\x01" not in shown
