"""What a rule asks of a case: conditions on plain values, all of which must hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from webapp.hematology.classes import BY_CODE

MOST_CONDITIONS = 6
LARGEST = Decimal(1_000_000)
MOST_DECIMALS = 3


class Quantity(TextChoices):
    PERCENT = "percent", gettext_lazy("Percent of white cells")
    ABSOLUTE = "absolute", gettext_lazy("Absolute, 10⁹/L")
    PER_100 = "per_100", gettext_lazy("Per 100 white cells")
    COUNT = "count", gettext_lazy("Cells counted")
    FLAG = "flag", gettext_lazy("Flag")
    AGE_DAYS = "age_days", gettext_lazy("Age in days")
    SEX = "sex", gettext_lazy("Sex")
    WBC = "wbc", gettext_lazy("Analyser: white cells, 10⁹/L")
    HAEMOGLOBIN = "haemoglobin", gettext_lazy("Analyser: haemoglobin, g/L")
    PLATELETS = "platelets", gettext_lazy("Analyser: platelets, 10⁹/L")
    FIRST_RESULT = "first_result", gettext_lazy("First result of the patient")


class Operator(TextChoices):
    ABOVE = ">", pgettext_lazy("operator of a rule", ">")
    AT_LEAST = ">=", pgettext_lazy("operator of a rule", "≥")
    BELOW = "<", pgettext_lazy("operator of a rule", "<")
    AT_MOST = "<=", pgettext_lazy("operator of a rule", "≤")
    IS = "is", pgettext_lazy("operator of a rule", "is")


class Then(TextChoices):
    """What follows where a rule's conditions hold."""

    MUST_SEE = "must_see", gettext_lazy("A pathologist must see the case")
    SECOND_READER = "second_reader", gettext_lazy("A second person must read the case")
    REMARK = "remark", gettext_lazy("A remark is proposed")


ANY = "any"
"""The class of a condition on a flag that any class may have."""
FLAGS = ("L", "H", "LL", "HH", "A")
SEXES = ("female", "male")
YES = "yes"
OF_A_CLASS = frozenset({Quantity.PERCENT, Quantity.ABSOLUTE, Quantity.PER_100, Quantity.COUNT, Quantity.FLAG})
WORDS: dict[Quantity, tuple[str, ...]] = {
    Quantity.FLAG: FLAGS,
    Quantity.SEX: SEXES,
    Quantity.FIRST_RESULT: (YES,),
}
"""What a quantity that is no number may be."""


class InvalidCondition(ValueError):
    """It says why, in the reader's language."""


@dataclass(frozen=True)
class Condition:
    """One thing that must hold. `value` is a number, or one of the words that its quantity has."""

    quantity: Quantity
    operator: Operator
    value: Decimal | str
    cell_class: str = ""

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """As it is kept, or as somebody sent it.

        Raises:
            InvalidCondition: it asks for nothing that there is.
        """
        quantity = _one_of(Quantity, given.get("quantity"), _("Choose what the condition is about."))
        operator = _one_of(Operator, given.get("op"), _("Choose how it is compared."))
        code = str(given.get("class") or "")
        if (quantity in OF_A_CLASS) != bool(code):
            raise InvalidCondition(
                _("Choose a class of cells.") if not code else _("This quantity is of no class of cells.")
            )
        if code and not _may_be_of(quantity, code):
            raise InvalidCondition(_("This class of cells has no such quantity."))
        words = WORDS.get(quantity)
        if (operator == Operator.IS) != bool(words):
            raise InvalidCondition(
                _("A number is compared by >, ≥, < or ≤, a flag, a sex and a first result by “is”.")
            )
        raw = given.get("value")
        if words is None:
            return cls(quantity, operator, number(raw), code)
        if raw not in words:
            raise InvalidCondition(_("This is none of the values that there are."))
        return cls(quantity, operator, str(raw), code)

    @property
    def plain(self) -> dict[str, str]:
        """As JSON keeps it."""
        kept = {"quantity": self.quantity.value, "op": self.operator.value, "value": str(self.value)}
        return {**kept, "class": self.cell_class} if self.cell_class else kept


def read_all(given: Sequence[Mapping[str, Any]]) -> tuple[Condition, ...]:
    """Conditions of one rule.

    Raises:
        InvalidCondition: one cannot be, or there are none or too many.
    """
    if not given:
        raise InvalidCondition(_("A rule needs a condition."))
    if len(given) > MOST_CONDITIONS:
        raise InvalidCondition(_("A rule has %(n)s conditions at most.") % {"n": MOST_CONDITIONS})
    return tuple(Condition.read(one) for one in given)


def number(given: Any) -> Decimal:
    """A number as people write it, with a decimal point or comma.

    Raises:
        InvalidCondition: it is none, or none that a rule may compare with.
    """
    text = str(given if given is not None else "").strip().replace(",", ".")
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise InvalidCondition(_("This is not a number.")) from None
    if not value.is_finite() or not 0 <= value <= LARGEST:
        raise InvalidCondition(_("Give a number from 0 to 1,000,000."))
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > MOST_DECIMALS:
        raise InvalidCondition(_("Give three decimals at most."))
    plain = value.normalize()
    return plain.quantize(Decimal(1)) if plain == plain.to_integral_value() else plain


def _one_of(choices: Any, given: Any, complaint: str) -> Any:
    try:
        return choices(given)
    except ValueError:
        raise InvalidCondition(complaint) from None


def _may_be_of(quantity: Quantity, code: str) -> bool:
    if quantity == Quantity.FLAG and code == ANY:
        return True
    of = BY_CODE.get(code)
    if of is None or not of.counted:
        return False
    if quantity in (Quantity.PERCENT, Quantity.ABSOLUTE):
        return of.in_wbc
    if quantity == Quantity.PER_100:
        return not of.in_wbc and of.unit is not None
    return True
