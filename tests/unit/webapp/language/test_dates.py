"""Points in time as each language writes them, with the zone and, where asked, seconds."""

from datetime import UTC, datetime

import pytest
from django.conf.locale import LANG_INFO
from django.utils import translation

from webapp.language.dates import moment

AT = datetime(2026, 3, 9, 8, 5, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "said", "exactly"),
    [
        ("en", "9 Mar 2026, 08:05 UTC", "9 Mar 2026, 08:05:07 UTC"),
        ("de", "9. März 2026 08:05 UTC", "9. März 2026 08:05:07 UTC"),
        ("fi", "9. maaliskuuta 2026 kello 8.05 UTC", "9. maaliskuuta 2026 kello 8.05.07 UTC"),
    ],
)
def test_a_moment(language, said, exactly):
    with translation.override(language):
        assert (moment(AT), moment(AT, "seconds")) == (said, exactly)


def test_none_is_nothing():
    assert moment(None) == ""


@pytest.mark.parametrize("language", [code for code, info in LANG_INFO.items() if "fallback" not in info])
def test_no_language_loses_the_zone(language):
    with translation.override(language):
        assert moment(AT).endswith("UTC")
