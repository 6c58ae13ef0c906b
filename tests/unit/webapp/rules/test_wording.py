import pytest

from webapp.rules.catalogue import CATALOGUE
from webapp.rules.conditions import ANY, Quantity, Then, read_all
from webapp.rules.wording import condition_sentence, sentence


def of(*given):
    names = ("quantity", "op", "value", "class")
    return read_all([dict(zip(names, one, strict=False)) for one in given])


@pytest.mark.parametrize(
    ("conditions", "then", "remark", "said"),
    [
        (
            of(("per_100", ">", "0", "erythroblast")),
            Then.MUST_SEE,
            "",
            "If Erythroblast (NRBC) per 100 white cells > 0, then a pathologist must see the case.",
        ),
        (
            of(("absolute", "<", "1.5", "neutrophil"), ("age_days", ">=", "6570")),
            Then.SECOND_READER,
            "",
            " ".join(
                [
                    "If Neutrophil < 1.5 × 10⁹/L and the patient’s age ≥ 6,570 days,",
                    "then a second person must read the case.",
                ]
            ),
        ),
        (
            of(("flag", "is", "HH", ANY), ("sex", "is", "male"), ("first_result", "is", "yes")),
            Then.REMARK,
            "100 % sure",
            " ".join(
                [
                    "If Any class is flagged HH and the patient is male and it is the patient’s first",
                    "result, then the remark “100 % sure” is proposed.",
                ]
            ),
        ),
    ],
)
def test_a_rule_in_words(conditions, then, remark, said):
    assert sentence(conditions, then, remark) == said


def test_every_quantity_has_words():
    value = {"flag": "A", "sex": "male", "first_result": "yes"}
    codes = {
        "percent": "lymphocyte",
        "absolute": "lymphocyte",
        "per_100": "smudge",
        "count": "blast",
        "flag": "any",
    }
    for quantity in Quantity:
        op = "is" if quantity in value else "<"
        (one,) = of((quantity.value, op, value.get(quantity.value, "7"), codes.get(quantity.value, "")))
        assert condition_sentence(one)


def test_those_that_come_with_the_product_name_their_source():
    assert len({one.code for one in CATALOGUE}) == len(CATALOGUE)
    for one in CATALOGUE:
        assert one.source
        assert sentence(one.when, one.then, one.remark)
        assert bool(one.remark) == (one.then == Then.REMARK)
