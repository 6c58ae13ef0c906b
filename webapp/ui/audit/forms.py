from itertools import groupby
from typing import Any
from uuid import UUID

from django import forms

from webapp.audit import selectors
from webapp.audit.actions import Action
from webapp.audit.selectors import Filters
from webapp.writing.fields import Line


class FilterForm(forms.Form):
    actor = forms.TypedChoiceField(label="Who", required=False, coerce=int, empty_value=None)
    action = forms.ChoiceField(label="What", required=False)
    subject = Line(
        label="Of what",
        required=False,
        max_length=254,
        widget=forms.TextInput(attrs={"placeholder": "accession, name", "autocomplete": "off"}),
    )
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, data: Any, chain: UUID) -> None:
        super().__init__(data, label_suffix="")
        self.fields["actor"].choices = [  # type: ignore[attr-defined]
            ("", "Anyone"),
            *selectors.people(chain),
            (0, "The product, commands, strangers"),
        ]
        self.fields["action"].choices = [("", "Anything"), *_actions_by_area()]  # type: ignore[attr-defined]

    @property
    def filters(self) -> Filters:
        return Filters(**self.cleaned_data)


def _actions_by_area() -> list[tuple[str, list[tuple[str, str]]]]:
    """Options of a menu: "role set" under "Member"."""
    return [
        (area.replace("_", " ").capitalize(), [(action.value, action.verb) for action in actions])
        for area, actions in groupby(sorted(Action), lambda action: action.area)
    ]
