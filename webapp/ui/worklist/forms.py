from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from webapp.worklist.filters import LARGEST_ID
from webapp.writing.fields import Line


class TakeForm(forms.Form):
    """Taking a case over: whose it is as far as one has seen."""

    instead_of = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)


class AssignForm(TakeForm):
    """Giving a case to one of the lab's people."""

    def __init__(self, data: Any = None, *, people: list[tuple[str, str]], initial: Any = None) -> None:
        super().__init__(data, label_suffix="", initial=initial)
        self.fields["assignee"] = forms.ChoiceField(
            label=_("Whose work it is"),
            required=False,
            choices=[("", _("nobody's")), *people],
            widget=forms.RadioSelect,
        )


class FilterForm(forms.Form):
    """The name that a filter is kept under."""

    name = Line(
        max_length=60,
        label=_("Name of the filter"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Give the filter a name.")},
    )
    is_default = forms.BooleanField(required=False, label=_("My worklist begins with it"))

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, label_suffix="", **options)
