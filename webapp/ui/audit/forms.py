from itertools import groupby
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from webapp.audit import selectors
from webapp.audit.actions import Action
from webapp.audit.selectors import Filters
from webapp.writing.fields import Line


class FilterForm(forms.Form):
    actor = forms.TypedChoiceField(
        label=pgettext_lazy("did it", "Who"), required=False, coerce=int, empty_value=None
    )
    action = forms.ChoiceField(label=pgettext_lazy("happened", "What"), required=False)
    subject = Line(
        label=_("Of what"),
        required=False,
        max_length=254,
        widget=forms.TextInput(attrs={"placeholder": _("accession, name"), "autocomplete": "off"}),
    )
    since = forms.DateField(
        label=pgettext_lazy("a day", "From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=pgettext_lazy("a day", "To"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, data: Any, chain: UUID) -> None:
        super().__init__(data, label_suffix="")
        self.fields["actor"].choices = [  # type: ignore[attr-defined]
            ("", _("Anyone")),
            *selectors.people(chain),
            *selectors.NOBODY.items(),
        ]
        self.fields["action"].choices = [("", _("Anything")), *_actions_by_area()]  # type: ignore[attr-defined]

    @property
    def filters(self) -> Filters:
        return Filters(**self.cleaned_data)


def _actions_by_area() -> list[tuple[str, list[tuple[str, str]]]]:
    """Options of a menu: "role set" under "Member"."""
    return [
        (area, [(action.value, action.verb) for action in actions])
        for area, actions in groupby(sorted(Action), lambda action: action.area_name)
    ]
