from typing import Any

from django import forms

from webapp.cases.identifiers import (
    LABELS,
    MRN_LENGTH,
    NAME_LENGTH,
    NOTES_LENGTH,
    Identifiers,
    Sex,
    day_in_a_life,
    found_again,
)
from webapp.cases.models import Case
from webapp.writing.fields import Line, Lines


class NewCaseForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = Case
        fields = ("accession",)
        error_messages = {"accession": {"required": "Give the specimen's accession number."}}


class PatientForm(forms.Form):
    """Who the patient is; all of it optional."""

    name = Line(required=False, max_length=NAME_LENGTH)
    mrn = Line(required=False, max_length=MRN_LENGTH, validators=[found_again])
    birth_date = forms.DateField(
        required=False,
        validators=[day_in_a_life],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    sex = forms.ChoiceField(required=False, choices=[("", "Not entered"), *Sex.choices])
    notes = Lines(required=False, max_length=NOTES_LENGTH, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, data: Any = None, *, known: Identifiers | None = None) -> None:
        super().__init__(data, label_suffix="", initial=vars(known or Identifiers()))
        for name, label in LABELS.items():
            self.fields[name].label = label
            self.fields[name].widget.attrs["autocomplete"] = "off"

    @property
    def changes(self) -> dict[str, Any]:
        """What differs from what was known, by field."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class FindPatientForm(forms.Form):
    mrn = Line(max_length=MRN_LENGTH, error_messages={"required": "Give the whole MRN."})
