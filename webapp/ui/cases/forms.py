from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from webapp.cases.identifiers import LABELS, NOTES_LENGTH, Identifiers, normal_accession
from webapp.cases.models import Case
from webapp.cases.selectors import SpecimenFacts
from webapp.cases.specimens import (
    FACTS,
    TEXT_LENGTHS,
    TEXTS,
    Scanner,
    Slide,
    Specimen,
    a_specimens_time,
    wrong_order,
)
from webapp.patients.identifiers import MRN_LENGTH, NAME_LENGTH, Sex, day_in_a_life, found_again
from webapp.writing.fields import Line, Lines

NOT_ENTERED = ("", _("Not entered"))


class Moment(forms.DateTimeInput):
    """A day and a time, to the minute."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class NewCaseForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = Case
        fields = ("accession",)
        error_messages = {"accession": {"required": _("Give the specimen's accession number.")}}


class PatientForm(forms.Form):
    """Who the patient is; all of it optional."""

    name = Line(required=False, max_length=NAME_LENGTH)
    mrn = Line(required=False, max_length=MRN_LENGTH, validators=[found_again])
    birth_date = forms.DateField(
        required=False,
        validators=[day_in_a_life],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    sex = forms.ChoiceField(required=False, choices=[NOT_ENTERED, *Sex.choices])
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


class OtherCaseForm(forms.Form):
    """The case whose patient is the same person."""

    accession = Line(
        max_length=64,
        normalise=normal_accession,
        label=_("Accession of the other case"),
        error_messages={"required": _("Give the other case's accession number.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class SpecimenForm(forms.Form):
    """What is known of the specimen; all of it optional."""

    collected_at = forms.DateTimeField(required=False, validators=[a_specimens_time], widget=Moment)
    received_at = forms.DateTimeField(required=False, validators=[a_specimens_time], widget=Moment)
    material = forms.ChoiceField(required=False, choices=[NOT_ENTERED, *Specimen.Material.choices])
    anticoagulant = forms.ChoiceField(required=False, choices=[NOT_ENTERED, *Specimen.Anticoagulant.choices])
    ordering_unit = Line(required=False, max_length=TEXT_LENGTHS["ordering_unit"])
    comment = Lines(
        required=False, max_length=TEXT_LENGTHS["comment"], widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, data: Any = None, *, known: SpecimenFacts, texts: bool) -> None:
        super().__init__(data, label_suffix="", initial=vars(known))
        for name in () if texts else TEXTS:
            del self.fields[name]
        for name, field in self.fields.items():
            field.label = {**FACTS, **TEXTS}[name]
            field.widget.attrs["autocomplete"] = "off"

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if reason := wrong_order(given.get("collected_at"), given.get("received_at")):
            self.add_error("received_at", reason)
        return given

    @property
    def changes(self) -> dict[str, Any]:
        """What differs from what was known, by field."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class SlideForm(forms.ModelForm):  # type: ignore[type-arg]
    scanner: Any = forms.ModelChoiceField(
        label=_("Scanner"), queryset=None, required=False, empty_label=NOT_ENTERED[1]
    )

    class Meta:
        model = Slide
        fields = ("label", "stain", "scanner")
        labels = {"label": _("Label"), "stain": _("Stain")}
        error_messages = {"label": {"required": _("Give what stands on the glass.")}}

    def __init__(self, data: Any = None, *, scanners: QuerySet[Scanner]) -> None:
        super().__init__(data, label_suffix="")
        self.fields["scanner"].queryset = scanners  # type: ignore[attr-defined]
        self.fields["stain"].choices = [NOT_ENTERED, *Slide.Stain.choices]  # type: ignore[attr-defined]
        self.fields["label"].help_text = ""
        self.fields["label"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}


class FindPatientForm(forms.Form):
    mrn = Line(max_length=MRN_LENGTH, error_messages={"required": _("Give the whole MRN.")})
