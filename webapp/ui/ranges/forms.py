from typing import Any

from django import forms
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from webapp.hematology.classes import BY_CODE, REPORT_ORDER
from webapp.ranges.models import MOST_PER_100, SOURCE_LENGTH, Quantity, Sex
from webapp.ranges.tables import LARGEST_FILE
from webapp.ranges.values import MEASURED, InvalidValues, Values, read

_NUMBER = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "size": 8})
_DAYS = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": 8})


def _classes() -> list[tuple[str, str]]:
    return [(code, say(BY_CODE[code].name)) for code in REPORT_ORDER if code in MEASURED]


class RangeForm(forms.Form):
    """One range, checked as a row of a table is."""

    cell_class = forms.ChoiceField(label=_("Class"), choices=_classes)
    quantity = forms.ChoiceField(label=_("Measured"), choices=Quantity.choices)
    sex = forms.ChoiceField(label=_("Sex"), choices=Sex.choices)
    age_from_days = forms.CharField(label=_("From the age of, in days"), initial="0", widget=_DAYS)
    age_to_days = forms.CharField(
        label=_("To under the age of, in days; empty: no end"), required=False, widget=_DAYS
    )
    low = forms.CharField(label=_("Lower limit"), required=False, widget=_NUMBER)
    high = forms.CharField(label=_("Upper limit"), required=False, widget=_NUMBER)
    critical_low = forms.CharField(label=_("Critical below"), required=False, widget=_NUMBER)
    critical_high = forms.CharField(label=_("Critical above"), required=False, widget=_NUMBER)
    source = forms.CharField(label=_("Source"), max_length=SOURCE_LENGTH)

    values: Values

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                self.values = read(given)
            except InvalidValues as error:
                for name, message in error.errors.items():
                    self.add_error(name, message)
        return given


class TableForm(forms.Form):
    """Ranges as CSV, pasted."""

    table = forms.CharField(
        label=_("Table"),
        max_length=LARGEST_FILE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "wrap": "off"}),
        error_messages={"required": _("Paste a table.")},
    )


class ChosenForm(forms.Form):
    """Proposed rows, each by its box."""

    ids = forms.TypedMultipleChoiceField(
        coerce=int, error_messages={"required": _("Tick the rows that you mean.")}
    )

    def __init__(self, data: Any, ids: list[int]) -> None:
        super().__init__(data)
        self.fields["ids"].choices = [(one, "") for one in ids]  # type: ignore[attr-defined]


class CorrectionForm(forms.Form):
    nrbc_correction_from = forms.IntegerField(
        label=_("Erythroblasts per 100 white cells"), min_value=1, max_value=MOST_PER_100
    )


class GroupForm(forms.Form):
    """A class in a quantity."""

    cell_class = forms.ChoiceField(choices=_classes)
    quantity = forms.ChoiceField(choices=Quantity.choices)
