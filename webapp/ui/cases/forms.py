from contextlib import suppress
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.formats import get_format
from django.utils.translation import gettext_lazy as _

from webapp.cases.counted import LIMITS, number, written
from webapp.cases.identifiers import LABELS, NOTES_LENGTH, Identifiers, normal_accession
from webapp.cases.models import Case, Priority
from webapp.cases.selectors import SpecimenFacts
from webapp.cases.specimen_services import NothingToSayOf
from webapp.cases.specimens import (
    COUNTS,
    FACTS,
    TEXT_LENGTHS,
    TEXTS,
    AnalyserCount,
    Scanner,
    Slide,
    Specimen,
    a_specimens_time,
    wrong_order,
)
from webapp.patients.identifiers import MRN_LENGTH, NAME_LENGTH, Sex, day_in_a_life, found_again, mrn_line
from webapp.ui.cases.clock import MomentField
from webapp.writing.fields import Line, Lines

ASKED = ("requester", "ordering_unit", "clinical_question")
NOT_ENTERED = ("", _("Not entered"))


class Numeral(forms.CharField):
    """A number of a haematology analyser, as people of the reader's language write it."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(required=False, max_length=40, label=COUNTS[name], validators=[])

    def prepare_value(self, value: Any) -> Any:
        shown = written(value) if isinstance(value, Decimal) else value
        return shown.replace(".", get_format("DECIMAL_SEPARATOR")) if isinstance(value, Decimal) else shown

    def to_python(self, value: Any) -> Any:
        given = super().to_python(value)
        return number(given, LIMITS[self.name].decimals) if given else None

    def run_validators(self, value: Any) -> None:
        if value is not None:
            LIMITS[self.name].check(value)


class Shown(forms.Form):
    """A form that says what it was shown with, so that what others entered since is noticed."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.show_hidden_initial = True

    @property
    def seen(self) -> dict[str, Any]:
        """What was shown, by field."""
        found = {}
        for bound in self:
            field = bound.field
            shown = field.hidden_widget().value_from_datadict(self.data, self.files, bound.html_initial_name)
            if shown is not None:
                with suppress(ValidationError):
                    found[bound.name] = field.clean(shown)
        return found

    @property
    def changes(self) -> dict[str, Any]:
        """What differs from what was shown, by field."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class PriorityChoice(forms.TypedChoiceField):
    def __init__(self, empty: Any = None) -> None:
        super().__init__(
            required=False,
            choices=Priority.choices,
            coerce=lambda value: Priority(int(value)),
            empty_value=empty,
            label=_("Priority"),
        )


class NewCaseForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    priority = PriorityChoice(empty=Priority.ROUTINE)

    class Meta:
        model = Case
        fields = ("accession",)
        error_messages = {"accession": {"required": _("Give the specimen's accession number.")}}


class PriorityForm(Shown):
    """How soon the result is needed."""

    priority = PriorityChoice()

    def __init__(self, data: Any = None, *, case: Case) -> None:
        super().__init__(data, label_suffix="", initial={"priority": case.priority})


class AnalyserForm(Shown):
    """What a haematology analyser counted; all of it optional."""

    wbc = Numeral("wbc")
    wbc_is_corrected = forms.TypedChoiceField(
        required=False,
        choices=[("", _("Nobody has said")), ("yes", _("Yes")), ("no", _("No"))],
        coerce=lambda value: value == "yes",
        empty_value=None,
        label=_("Did the analyser take erythroblasts (NRBC) off that WBC?"),
    )
    haemoglobin = Numeral("haemoglobin")
    platelets = Numeral("platelets")

    def __init__(self, data: Any = None, *, known: AnalyserCount | None) -> None:
        initial: dict[str, Any] = {name: getattr(known, name, None) for name in COUNTS}
        said: bool | None = initial["wbc_is_corrected"]
        initial["wbc_is_corrected"] = "" if said is None else "yes" if said else "no"
        super().__init__(data, label_suffix="", initial=initial)

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if "wbc" in given and given["wbc"] is None and given.get("wbc_is_corrected") is not None:
            self.add_error("wbc", str(NothingToSayOf()))
        return given


class PatientForm(forms.Form):
    """Who the patient is; all of it optional."""

    name = Line(required=False, max_length=NAME_LENGTH)
    mrn = Line(required=False, max_length=MRN_LENGTH, normalise=mrn_line, validators=[found_again])
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
        self.fields["mrn"].widget.attrs["data-scanned"] = "next"

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
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "data-scanned": "next"}),
    )


class SpecimenForm(Shown):
    """What is known of the specimen and of the request for it; all of it optional."""

    collected_at = MomentField(required=False, validators=[a_specimens_time])
    received_at = MomentField(required=False, validators=[a_specimens_time])
    material = forms.ChoiceField(required=False, choices=[NOT_ENTERED, *Specimen.Material.choices])
    anticoagulant = forms.ChoiceField(required=False, choices=[NOT_ENTERED, *Specimen.Anticoagulant.choices])
    comment = Lines(
        required=False, max_length=TEXT_LENGTHS["comment"], widget=forms.Textarea(attrs={"rows": 3})
    )
    requester = Line(required=False, max_length=TEXT_LENGTHS["requester"])
    ordering_unit = Line(required=False, max_length=TEXT_LENGTHS["ordering_unit"])
    clinical_question = Lines(
        required=False, max_length=TEXT_LENGTHS["clinical_question"], widget=forms.Textarea(attrs={"rows": 2})
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
    def of_specimen(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in ASKED]

    @property
    def of_request(self) -> list[forms.BoundField]:
        return [field for field in self if field.name in ASKED]


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
    mrn = Line(
        max_length=MRN_LENGTH, normalise=mrn_line, error_messages={"required": _("Give the whole MRN.")}
    )
