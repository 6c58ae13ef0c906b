"""A range as somebody enters it: what is taken, and what is said of what is not."""

from decimal import Decimal

import pytest
from django.utils import translation

from webapp.ranges.models import LAST_DAY
from webapp.ranges.values import InvalidValues, read

D = Decimal
GOOD = {
    "cell_class": "neutrophil",
    "quantity": "absolute",
    "sex": "any",
    "age_from_days": "0",
    "age_to_days": "",
    "low": "1.8",
    "high": "7.7",
    "source": "A book",
}


def wrong(**given):
    with pytest.raises(InvalidValues) as caught:
        read({**GOOD, **given})
    return caught.value.errors


def test_what_is_right_is_taken():
    found = read({**GOOD, "critical_low": "0.5", "critical_high": "30"})
    assert (found.low, found.high, found.critical_low, found.critical_high) == (
        D("1.8"),
        D("7.7"),
        D("0.5"),
        D(30),
    )
    assert (found.age_from_days, found.age_to_days, found.sex) == (0, None, "any")


def test_one_limit_is_enough():
    assert read({**GOOD, "low": ""}).low is None


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"low": "8"}, "low", "above the upper"),
        ({"low": "about 2"}, "low", "“about 2” is no number"),
        ({"low": "1e3"}, "low", "no number"),
        ({"low": "Infinity"}, "low", "no number"),
        ({"low": "٢"}, "low", "no number"),
        ({"low": "-1"}, "low", "not negative"),
        ({"low": "−1"}, "low", "not negative"),
        ({"low": "1,8"}, "low", "as a point: 1.8"),
        ({"low": "1.8001"}, "low", "At most 3 decimals"),
        ({"high": "10000"}, "high", "so large"),
        ({"low": "", "high": ""}, "low", "lower limit, an upper limit, or both"),
        ({"critical_low": "2"}, "critical_low", "within the normal range"),
        ({"critical_high": "7"}, "critical_high", "within the normal range"),
        ({"low": "", "critical_low": "8"}, "critical_low", "within the normal range"),
        ({"high": "", "critical_high": "1"}, "critical_high", "within the normal range"),
        ({"quantity": "percent", "high": "101"}, "high", "100 %"),
        ({"quantity": "per_100"}, "quantity", "not measured so"),
        ({"quantity": "grams"}, "quantity", "Choose one of"),
        ({"cell_class": "platelet"}, "cell_class", "number alone"),
        ({"cell_class": "dragon"}, "cell_class", "no such class"),
        ({"sex": "other"}, "sex", "Choose one of"),
        ({"age_from_days": "2 years"}, "age_from_days", "whole number of days"),
        ({"age_from_days": "-1"}, "age_from_days", "whole number of days"),
        ({"age_to_days": str(LAST_DAY + 1)}, "age_to_days", "whole number of days"),
        ({"age_from_days": "30", "age_to_days": "30"}, "age_to_days", "later than"),
        ({"source": " "}, "source", "where the numbers are from"),
        ({"source": "A\u0001book"}, "source", "cannot be seen"),
        ({"source": "x" * 301}, "source", "At most 300"),
    ],
)
def test_what_is_wrong_is_said_of_its_field(given, field, says):
    errors = wrong(**given)
    assert list(errors) == [field]
    assert says in errors[field]


def test_everything_that_is_wrong_is_said_at_once():
    assert set(wrong(low="x", high="-2", source="")) == {"low", "high", "source"}


def test_a_comma_is_the_decimal_sign_where_the_language_writes_so():
    with translation.override("de"):
        assert read({**GOOD, "low": "1,8", "high": "7.7"}).low == D("1.8")
        assert set(wrong(high="1.234")) == {"high"}  # a thousand and more, or one and a little


def test_erythroblasts_are_counted_per_100():
    found = read({**GOOD, "cell_class": "erythroblast", "quantity": "per_100", "low": "0", "high": "0"})
    assert found.high == 0
