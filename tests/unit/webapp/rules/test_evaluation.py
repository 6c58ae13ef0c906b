from decimal import Decimal

import pytest

from webapp.rules.conditions import Condition, read_all
from webapp.rules.evaluation import Facts, hold

FACTS = Facts(
    percent={"neutrophil": Decimal(45), "band_neutrophil": Decimal(5), "lymphocyte": Decimal(50)},
    absolute={"neutrophil": Decimal("0.9")},
    per_100={"erythroblast": Decimal(5)},
    count={"blast": 1, "lymphocyte": 100},
    flags={"neutrophil": ["L"], "erythroblast": ["A"]},
    age_days=27,
    sex="female",
    wbc=Decimal("2.1"),
    haemoglobin=Decimal(88),
    platelets=Decimal(150),
    is_first_result=True,
)


def condition(quantity, op, value, code=""):
    return Condition.read({"quantity": quantity, "op": op, "value": value, "class": code})


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        (("percent", ">=", "45", "neutrophil"), True),
        (("percent", ">", "45", "neutrophil"), False),
        (("percent", "<=", "5", "band_neutrophil"), True),
        (("absolute", "<", "1", "neutrophil"), True),
        (("absolute", "<", "0.9", "neutrophil"), False),
        (("absolute", "<", "5", "monocyte"), False),  # not known
        (("per_100", ">=", "5", "erythroblast"), True),
        (("per_100", ">", "5", "erythroblast"), False),
        (("count", ">", "0", "blast"), True),
        (("count", "<=", "0", "plasma_cell"), False),  # not known
        (("flag", "is", "L", "neutrophil"), True),
        (("flag", "is", "LL", "neutrophil"), False),
        (("flag", "is", "A", "any"), True),
        (("flag", "is", "HH", "any"), False),
        (("age_days", "<", "28"), True),
        (("age_days", "<", "27"), False),
        (("sex", "is", "female"), True),
        (("sex", "is", "male"), False),
        (("wbc", "<", "3"), True),
        (("haemoglobin", "<", "90"), True),
        (("platelets", "<", "150"), False),
        (("first_result", "is", "yes"), True),
    ],
)
def test_each_quantity(asked, holds):
    assert hold([condition(*asked)], FACTS) is holds


@pytest.mark.parametrize(
    "asked",
    [
        *(("age_days", op, "0") for op in ("<", "<=", ">", ">=")),
        *((name, ">=", "0") for name in ("wbc", "haemoglobin", "platelets")),
        *((name, ">=", "0", "neutrophil") for name in ("percent", "absolute", "count")),
        ("per_100", ">=", "0", "smudge"),
        ("sex", "is", "male"),
        ("first_result", "is", "yes"),
        ("flag", "is", "A", "any"),
    ],
)
def test_what_is_not_known_fulfils_nothing(asked):
    assert not hold([condition(*asked)], Facts())


def test_all_conditions_must_hold():
    both = read_all(
        [
            {"quantity": "age_days", "op": "<", "value": "28"},
            {"quantity": "flag", "class": "any", "op": "is", "value": "A"},
        ]
    )
    assert hold(both, FACTS)
    assert not hold([*both, condition("sex", "is", "male")], FACTS)
