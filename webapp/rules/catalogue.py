"""Rules that come with the product, each with the source of its numbers. They are off until accepted.

Only numbers that a source was read for are here; where consensus papers could not be read, there is no rule.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from serving.contract.sentence import N_
from webapp.rules.conditions import Condition, Operator, Quantity, Then
from webapp.rules.wording import sentence

_ISLH = N_("ISLH consensus limit, as PubMed 28609162 names it")
_ONE_LAB = N_("One laboratory’s procedure (scribd.com/document/368155486)")
_CORRECTION = N_("medicalalgorithms.com: corrected from 5 per 100 white cells up")


@dataclass(frozen=True)
class Shipped:
    code: str
    name: str  # marked
    when: tuple[Condition, ...]
    then: Then
    source: str  # marked
    remark: str = ""  # marked

    @property
    def source_said(self) -> str:
        return _(self.source)

    @property
    def sentence(self) -> str:
        return sentence(self.when, self.then, _(self.remark) if self.remark else "")


def _absolute(code: str, operator: Operator, value: str) -> tuple[Condition, ...]:
    return (Condition(Quantity.ABSOLUTE, operator, Decimal(value), code),)


def _count(code: str, operator: Operator, value: int) -> tuple[Condition, ...]:
    return (Condition(Quantity.COUNT, operator, Decimal(value), code),)


CATALOGUE: tuple[Shipped, ...] = (
    Shipped(
        "neutrophils_very_low",
        N_("Very few neutrophils"),
        _absolute("neutrophil", Operator.BELOW, "1"),
        Then.MUST_SEE,
        _ISLH,
    ),
    Shipped(
        "neutrophils_low",
        N_("Few neutrophils"),
        _absolute("neutrophil", Operator.BELOW, "1.5"),
        Then.MUST_SEE,
        _ONE_LAB,
    ),
    Shipped(
        "neutrophils_high",
        N_("Many neutrophils"),
        _absolute("neutrophil", Operator.ABOVE, "18"),
        Then.MUST_SEE,
        _ONE_LAB,
    ),
    Shipped(
        "lymphocytes_high",
        N_("Many lymphocytes"),
        _absolute("lymphocyte", Operator.ABOVE, "4.5"),
        Then.MUST_SEE,
        _ONE_LAB,
    ),
    Shipped(
        "monocytes_high",
        N_("Many monocytes"),
        _absolute("monocyte", Operator.ABOVE, "2"),
        Then.MUST_SEE,
        _ONE_LAB,
    ),
    Shipped(
        "eosinophils_high",
        N_("Many eosinophils"),
        _absolute("eosinophil", Operator.ABOVE, "2"),
        Then.MUST_SEE,
        _ONE_LAB,
    ),
    Shipped(
        "basophils_high",
        N_("Many basophils"),
        _absolute("basophil", Operator.ABOVE, "0.6"),
        Then.MUST_SEE,
        _ONE_LAB,
    ),
    Shipped(
        "immature_cells",
        N_("Immature granulocytes"),
        _count("immature_granulocyte", Operator.AT_LEAST, 2),
        Then.MUST_SEE,
        _ONE_LAB,
    ),
    Shipped(
        "erythroblasts",
        N_("Erythroblasts"),
        _count("erythroblast", Operator.AT_LEAST, 2),
        Then.MUST_SEE,
        _ONE_LAB,
    ),
    Shipped("blasts", N_("A blast"), _count("blast", Operator.ABOVE, 0), Then.MUST_SEE, _ONE_LAB),
    Shipped(
        "erythroblasts_correct",
        N_("White cells to be corrected"),
        (Condition(Quantity.PER_100, Operator.AT_LEAST, Decimal(5), "erythroblast"),),
        Then.REMARK,
        _CORRECTION,
        N_("The white-cell count is to be read corrected for erythroblasts."),
    ),
)
BY_CODE = {one.code: one for one in CATALOGUE}
