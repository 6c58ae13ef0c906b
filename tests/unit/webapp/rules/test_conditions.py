from decimal import Decimal

import pytest

from webapp.rules.catalogue import CATALOGUE
from webapp.rules.conditions import (
    MOST_CONDITIONS,
    Condition,
    InvalidCondition,
    Operator,
    Quantity,
    number,
    read_all,
)

LOW = {"quantity": "absolute", "class": "neutrophil", "op": "<", "value": "1.5"}


def test_what_is_kept_is_read_again():
    condition = Condition.read(LOW)
    assert condition == Condition(Quantity.ABSOLUTE, Operator.BELOW, Decimal("1.5"), "neutrophil")
    assert condition.plain == LOW
    for shipped in CATALOGUE:
        assert read_all([one.plain for one in shipped.when]) == shipped.when


@pytest.mark.parametrize(
    "changed",
    [
        {"quantity": "smell"},
        {"quantity": None},
        {"op": "=="},
        {"op": "is"},
        {"class": ""},
        {"class": "unicorn"},
        {"class": "erythroblast"},  # no white cell
        {"class": "not_classed"},
        {"class": "any"},
        {"quantity": "age_days"},  # of no class
        {"quantity": "per_100"},  # neutrophils are not given per 100
        {"quantity": "flag"},  # a flag is no number
        {"quantity": "flag", "op": "is", "value": "X"},
        {"quantity": "sex", "class": "", "op": "is", "value": "other"},
        {"quantity": "first_result", "class": "", "op": "is", "value": "no"},
        *(
            {"value": value}
            for value in ("", None, "many", "-1", "NaN", "Infinity", "1e9", "0.0001", "1 000")
        ),
    ],
)
def test_what_cannot_be_is_invalid(changed):
    with pytest.raises(InvalidCondition):
        Condition.read({**LOW, **changed})


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", "0"), ("1,5", "1.5"), (" 1.50 ", "1.5"), ("100", "100"), ("1000000", "1000000"), (5, "5")],
)
def test_a_number_may_have_a_decimal_comma(text, value):
    assert str(number(text)) == value


def test_a_rule_has_a_condition_and_not_too_many():
    for given in ([], [LOW] * (MOST_CONDITIONS + 1)):
        with pytest.raises(InvalidCondition):
            read_all(given)
