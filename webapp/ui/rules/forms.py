from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from webapp.hematology.classes import BY_CODE, REPORT_ORDER
from webapp.rules.conditions import (
    ANY,
    MOST_CONDITIONS,
    WORDS,
    YES,
    Condition,
    InvalidCondition,
    Operator,
    Quantity,
    Then,
    read_all,
)
from webapp.rules.models import NAME_LENGTH, REMARK_LENGTH, SOURCE_LENGTH, Rule
from webapp.rules.services import Draft
from webapp.writing.fields import Line

COMPARED = [(one.value, one.label) for one in Operator if one != Operator.IS]
WORD_NAMES = {
    "L": _("L: low"),
    "H": _("H: high"),
    "LL": _("LL: critically low"),
    "HH": _("HH: critically high"),
    "A": _("A: abnormal"),
    "female": _("female"),
    "male": _("male"),
    YES: _("yes"),
}


def _quantities() -> list[tuple[str, Any]]:
    return [("", "–"), *((one.value, one.label) for one in Quantity)]


def _classes() -> list[tuple[str, str]]:
    named = [(code, gettext(BY_CODE[code].name)) for code in REPORT_ORDER if BY_CODE[code].counted]
    return [("", "–"), (ANY, gettext("Any class")), *named]


def _words() -> list[tuple[str, Any]]:
    return [("", "–"), *WORD_NAMES.items()]


class ConditionForm(forms.Form):
    """One row; without a quantity it is none."""

    quantity = forms.ChoiceField(label=_("What"), choices=_quantities, required=False)
    of = forms.ChoiceField(label=_("Class"), choices=_classes, required=False)
    op = forms.ChoiceField(label=_("Compared"), choices=COMPARED, required=False)
    number = forms.CharField(
        label=_("Number"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "size": 8}),
    )
    word = forms.ChoiceField(label=_("Is"), choices=_words, required=False)

    @classmethod
    def initial_of(cls, condition: Condition) -> dict[str, str]:
        is_word = condition.quantity in WORDS
        return {
            "quantity": condition.quantity.value,
            "of": condition.cell_class,
            "op": Operator.BELOW.value if is_word else condition.operator.value,
            "number": "" if is_word else str(condition.value),
            "word": str(condition.value) if is_word else "",
        }

    def given(self) -> dict[str, str] | None:
        """As `Condition.read` takes it; None where the row is left empty."""
        given = self.cleaned_data
        if not given.get("quantity"):
            return None
        is_word = Quantity(given["quantity"]) in WORDS
        return {
            "quantity": given["quantity"],
            "class": given["of"],
            "op": Operator.IS.value if is_word else given["op"],
            "value": given["word"] if is_word else given["number"],
        }


class RuleForm(forms.Form):
    name = Line(label=_("Name"), max_length=NAME_LENGTH)
    then = forms.ChoiceField(label=_("Then"), choices=Then.choices)
    remark = Line(label=_("Remark that is proposed"), max_length=REMARK_LENGTH, required=False)
    source = Line(label=_("Where its numbers are from"), max_length=SOURCE_LENGTH, required=False)

    def __init__(self, data: QueryDict | None = None, *, rule: Rule | None = None) -> None:
        initial = (
            {name: getattr(rule, name) for name in ("name", "then", "remark", "source")} if rule else None
        )
        super().__init__(data, label_suffix="", initial=initial)
        conditions = rule.conditions if rule else ()
        self.rows = [
            ConditionForm(
                data,
                prefix=f"c{place}",
                label_suffix="",
                initial=ConditionForm.initial_of(conditions[place]) if place < len(conditions) else None,
            )
            for place in range(MOST_CONDITIONS)
        ]
        self.problem = ""
        """What is wrong with the conditions."""
        self.conditions: Sequence[Condition] = ()

    def is_valid(self) -> bool:
        return super().is_valid() & self.are_conditions_valid()

    def are_conditions_valid(self) -> bool:
        """Whether they are, whatever else is given."""
        if not all(row.is_valid() for row in self.rows):
            self.problem = gettext("Choose from what there is.")
            return False
        try:
            self.conditions = read_all([given for row in self.rows if (given := row.given())])
        except InvalidCondition as error:
            self.problem = str(error)
        return not self.problem

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("then") == Then.REMARK and not given.get("remark") and "remark" not in self.errors:
            self.add_error("remark", gettext("Write the remark that is proposed."))
        return given

    @property
    def draft(self) -> Draft:
        given = self.cleaned_data
        return Draft(
            name=given["name"],
            conditions=self.conditions,
            then=Then(given["then"]),
            remark=given["remark"],
            source=given["source"],
        )
