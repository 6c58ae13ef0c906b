"""Numbers of a haematology analyser as people write them: read right, or said to be wrong, never guessed."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from webapp.cases.counted import LIMITS, in_other_unit, number, written


def read(text, language="en", decimals=3):
    with translation.override(language):
        try:
            return number(text, decimals)
        except ValidationError as error:
            return error.message


@pytest.mark.parametrize(
    ("language", "text", "value"),
    [
        ("en", "7.2", "7.2"),
        ("en", " 7.2 ", "7.2"),
        ("en", "7", "7"),
        ("en", "1.000", "1"),
        ("en", "７．２", "7.2"),
        ("ar", "٧.٢", "7.2"),
        ("de", "7,2", "7.2"),
        ("de", "7.2", "7.2"),
        ("de", "7,200", "7.2"),
        ("de", "12.25", "12.25"),
        ("fr", "0,05", "0.05"),
    ],
)
def test_numbers_are_read(language, text, value):
    assert read(text, language) == Decimal(value)


@pytest.mark.parametrize(
    ("language", "text", "why"),
    [
        ("en", "7,2", "no comma"),
        ("en", "7,200", "no comma"),
        ("de", "7.200", "groups thousands"),
        ("de", "1.234.567", "groups thousands"),
        ("de", "1.234,5", "a number alone"),
        ("en", "seven", "a number alone"),
        ("en", "7.2 G/l", "a number alone"),
        ("en", "-7", "a number alone"),
        ("en", "+7", "a number alone"),
        ("en", "<0.1", "a number alone"),
        ("en", "1e3", "a number alone"),
        ("en", "NaN", "a number alone"),
        ("en", "Infinity", "a number alone"),
        ("en", "7.", "a number alone"),
        ("en", ".7", "a number alone"),
        ("en", "7 200", "a number alone"),
        ("en", "9" * 40, "a number alone"),
        ("en", "7.2345", "more decimals"),
    ],
)
def test_what_is_no_number_is_said_to_be_none(language, text, why):
    assert why in str(read(text, language))


def test_zeros_behind_the_decimals_that_are_kept_lose_nothing():
    assert read("7.2000") == Decimal("7.2")
    assert read("142.0", decimals=1) == Decimal(142)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("wbc", "0", "above 0"),
        ("wbc", "0.000", "above 0"),
        ("wbc", "1000.001", "per µL"),
        ("wbc", "1000000", "per µL"),
        ("haemoglobin", "0", "above 0"),
        ("haemoglobin", "300.1", "g/dL"),
        ("platelets", "-0.1", "not below 0"),
        ("platelets", "150000", "per µL"),
    ],
)
def test_what_no_specimen_has_is_invalid_with_a_hint(name, value, why):
    with pytest.raises(ValidationError, match=why):
        LIMITS[name].check(Decimal(value))


@pytest.mark.parametrize(
    ("name", "value"),
    [("wbc", "0.001"), ("wbc", "1000"), ("haemoglobin", "0.1"), ("haemoglobin", "300"), ("platelets", "0")],
)
def test_the_last_that_can_be_is_taken(name, value):
    LIMITS[name].check(Decimal(value))


def test_a_haemoglobin_in_grams_per_decilitre_is_asked_about():
    assert in_other_unit(Decimal("14.2"))
    assert not in_other_unit(Decimal(142))
    assert not in_other_unit(None)


def test_numbers_are_written_without_zeros_at_their_end():
    assert written(Decimal("7.200")) == "7.2"
    assert written(Decimal(100)) == "100"
    assert written(None) == ""
