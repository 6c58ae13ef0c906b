"""Any language that a catalogue can be made for has a name."""

import pytest

from webapp.config.settings.django import language_name


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("de", "Deutsch"),
        ("pt-br", "Português brasileiro"),
        ("de-at", "Deutsch (de-at)"),
        ("zh-cn", "(zh-cn)"),
        ("yo", "(yo)"),
    ],
)
def test_a_language_is_named(code, name):
    assert language_name(code) == name
