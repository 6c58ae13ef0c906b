from datetime import datetime
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, extend_schema_field
from rest_framework import serializers

from webapp.api.fields import WrittenField
from webapp.api.interpretation import JudgedRowSerializer, MeaningSerializer
from webapp.cases.counted import LIMITS, checked
from webapp.cases.identifiers import FIELDS, NOTES_LENGTH, Identifiers, normal_accession
from webapp.cases.models import Case, Priority, Processing, Review
from webapp.cases.selectors import Progress, SpecimenFacts
from webapp.cases.specimens import (
    TEXT_LENGTHS,
    TEXTS,
    TIMES,
    Scanner,
    Slide,
    Specimen,
    a_specimens_time,
    wrong_order,
)
from webapp.language.clock import is_never, is_twice
from webapp.patients.identifiers import (
    MRN_LENGTH,
    NAME_LENGTH,
    Sex,
    day_in_a_life,
    found_again,
    mrn_line,
)
from webapp.writing.fields import seen_lines
from webapp.writing.text import lines


class ProgressSerializer(serializers.Serializer[Progress]):
    state = serializers.ChoiceField(Processing.values, help_text="How far the machine is.")
    total = serializers.IntegerField()
    received = serializers.IntegerField(help_text="Waiting for the model.")
    classified = serializers.IntegerField()
    refused = serializers.IntegerField()
    failed = serializers.IntegerField()
    replaced = serializers.IntegerField(
        help_text="Refused or failed, and another was given in their place: in no other number."
    )


class PatientSerializer(serializers.Serializer[Identifiers]):
    """Who the patient is: kept encrypted, and in no answer to roles without `view_identifiers`.

    Shows what the context's `patient_fields` name, all without it.
    """

    name = WrittenField(required=False, allow_blank=True, max_length=NAME_LENGTH)
    mrn = WrittenField(
        normalise=mrn_line,
        required=False,
        allow_blank=True,
        max_length=MRN_LENGTH,
        help_text="Medical record number.",
    )
    birth_date = serializers.DateField(required=False, allow_null=True, validators=[day_in_a_life])
    sex = serializers.ChoiceField(
        Sex.choices,
        required=False,
        allow_blank=True,
        error_messages={
            "invalid_choice": format_lazy(_("One of {values}, or nothing."), values=", ".join(Sex.values))
        },
    )
    notes = WrittenField(
        normalise=lines, check=seen_lines, required=False, allow_blank=True, max_length=NOTES_LENGTH
    )
    id = serializers.UUIDField(
        source="patient", read_only=True, allow_null=True, help_text="The same in all cases of the patient."
    )
    unreadable = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Fields that cannot be decrypted and are missing for that reason.",
    )
    kept = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Fields that were given otherwise than known of the patient with this MRN: what was known"
        " stayed.",
    )
    erased = serializers.BooleanField(
        read_only=True, help_text="Everything that was known of the patient was erased."
    )

    def validate_mrn(self, mrn: str) -> str:
        if mrn:
            found_again(mrn)
        return mrn

    def to_representation(self, instance: Identifiers) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        said = ("unreadable",) if self.context.get("as_sent") else ("id", "unreadable", "kept", "erased")
        wanted = {*self.context.get("patient_fields", FIELDS), *said} - {*instance.unreadable}
        return {name: value for name, value in shown.items() if name in wanted}


class PatientQuerySerializer(serializers.Serializer[Any]):
    mrn = serializers.CharField(max_length=MRN_LENGTH, help_text="Exactly, but for case and separators.")


class OtherCaseSerializer(serializers.Serializer[Any]):
    accession = WrittenField(
        normalise=normal_accession, max_length=64, help_text="Of the case whose patient is the same person."
    )


class ClockField(serializers.DateTimeField):
    """A point in time; one without a zone is of the lab's clock, where that shows it once."""

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.tzinfo is None and (is_twice(value) or is_never(value)):
            text = _("The lab’s clock shows this time twice or never: say in which zone it is, as in +01:00.")
            raise serializers.ValidationError(text)
        return super().enforce_timezone(value)


class SpecimenSerializer(serializers.Serializer[Any]):
    """What is known of the specimen and of the request for it, all of it optional.

    Requester, ordering unit, clinical question and comment are kept as who the patient is: encrypted, in no
    answer to roles without `view_identifiers`, and entered by those with `edit_identifiers`.
    """

    collected_at = ClockField(required=False, allow_null=True, validators=[a_specimens_time])
    received_at = ClockField(
        required=False,
        allow_null=True,
        validators=[a_specimens_time],
        help_text="When it came to the lab; not before it was collected.",
    )
    material = serializers.ChoiceField(Specimen.Material.choices, required=False, allow_blank=True)
    anticoagulant = serializers.ChoiceField(Specimen.Anticoagulant.choices, required=False, allow_blank=True)
    requester = WrittenField(
        required=False,
        allow_blank=True,
        max_length=TEXT_LENGTHS["requester"],
        help_text="Who asked for the examination.",
    )
    ordering_unit = WrittenField(
        required=False,
        allow_blank=True,
        max_length=TEXT_LENGTHS["ordering_unit"],
        help_text="The ward or practice that wants it.",
    )
    clinical_question = WrittenField(
        normalise=lines,
        check=seen_lines,
        required=False,
        allow_blank=True,
        max_length=TEXT_LENGTHS["clinical_question"],
        help_text="What they want to know.",
    )
    comment = WrittenField(
        normalise=lines,
        check=seen_lines,
        required=False,
        allow_blank=True,
        max_length=TEXT_LENGTHS["comment"],
    )
    unreadable = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Texts that cannot be decrypted and are missing for that reason.",
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        times = {name: given.get(name, self.context["known"].get(name)) for name in TIMES}
        if reason := wrong_order(**times):
            raise serializers.ValidationError({"received_at": [reason]})
        return given

    def to_representation(self, instance: SpecimenFacts) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        hidden = {*instance.unreadable, *(() if self.context["texts"] else TEXTS)}
        return {name: value for name, value in shown.items() if name not in hidden}


class AnalyserCountSerializer(serializers.Serializer[Any]):
    """What a haematology analyser counted in the specimen, all of it optional."""

    wbc = serializers.DecimalField(
        max_digits=7,
        decimal_places=LIMITS["wbc"].decimals,
        required=False,
        allow_null=True,
        validators=[checked("wbc")],
        normalize_output=True,
        help_text="White cells, 10^9/L.",
    )
    wbc_is_corrected = serializers.BooleanField(
        required=False,
        allow_null=True,
        help_text="Whether the analyser took erythroblasts off already; null: nobody has said.",
    )
    haemoglobin = serializers.DecimalField(
        max_digits=5,
        decimal_places=LIMITS["haemoglobin"].decimals,
        required=False,
        allow_null=True,
        validators=[checked("haemoglobin")],
        normalize_output=True,
        help_text="g/L.",
    )
    platelets = serializers.DecimalField(
        max_digits=7,
        decimal_places=LIMITS["platelets"].decimals,
        required=False,
        allow_null=True,
        validators=[checked("platelets")],
        normalize_output=True,
        help_text="10^9/L.",
    )
    entered_by = serializers.CharField(
        source="entered_by.name", read_only=True, allow_null=True, default=None
    )
    entered_at = serializers.DateTimeField(read_only=True, allow_null=True, default=None)


class PriorityField(serializers.ChoiceField):
    """A priority by its name."""

    def __init__(self, **options: Any) -> None:
        super().__init__([priority.name.lower() for priority in Priority], **options)

    def to_internal_value(self, data: Any) -> Any:
        return Priority[super().to_internal_value(data).upper()]

    def to_representation(self, value: Any) -> str:
        return Priority(value).name.lower()


class ChangeCaseSerializer(serializers.Serializer[Any]):
    priority = PriorityField(
        required=False, help_text="From `urgent` on, its images pass those of bulk uploads."
    )


class ScannerSerializer(serializers.ModelSerializer[Scanner]):
    make = WrittenField(max_length=60)
    model = WrittenField(max_length=60, required=False, allow_blank=True)

    class Meta:
        model = Scanner
        fields = ("id", "make", "model", "micrometres_per_pixel")


class SlideSerializer(serializers.ModelSerializer[Slide]):
    label = WrittenField(  # type: ignore[assignment]
        max_length=64, help_text="What stands on the glass; never a person's name."
    )
    scanner = serializers.PrimaryKeyRelatedField(
        queryset=Scanner._base_manager.none(), required=False, allow_null=True
    )

    class Meta:
        model = Slide
        fields = ("id", "label", "stain", "scanner")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        if "scanners" in self.context:  # of the lab
            fields["scanner"].queryset = self.context["scanners"]  # type: ignore[attr-defined]
        return fields


class NewCaseSerializer(serializers.ModelSerializer[Case]):
    accession = WrittenField(normalise=normal_accession, max_length=64)
    priority = PriorityField(default=Priority.ROUTINE)
    patient = PatientSerializer(required=False, help_text="Needs `edit_identifiers`.")

    class Meta:
        model = Case
        fields = ("accession", "priority", "patient")


class CaseQuerySerializer(serializers.Serializer[Any]):
    # Asked for none, there is none: not all.
    accession = serializers.CharField(required=False, allow_blank=True, help_text="Exactly this number.")
    processing = serializers.ChoiceField(Processing.values, required=False, help_text="As `progress.state`.")
    review = serializers.ChoiceField(Review.values, required=False)
    priority = PriorityField(required=False)


class CaseSerializer(serializers.ModelSerializer[Case]):
    created_by = serializers.CharField(source="created_by.name", read_only=True)
    priority = PriorityField(read_only=True)
    progress = serializers.SerializerMethodField()
    patient = serializers.SerializerMethodField(
        help_text="Absent for roles without `view_identifiers`; without `notes` in lists."
    )

    class Meta:
        model = Case
        fields: tuple[str, ...] = (
            "id",
            "accession",
            "created_by",
            "created_at",
            "priority",
            "progress",
            "review",
            "patient",
        )

    def to_representation(self, instance: Case) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        if "identifiers" not in self.context:
            del shown["patient"]
        return shown

    @extend_schema_field(PatientSerializer)
    def get_patient(self, case: Case) -> dict[str, Any] | None:
        known = self.context.get("identifiers")
        return PatientSerializer(known[case.id], context=self.context).data if known else None

    @extend_schema_field(ProgressSerializer)
    def get_progress(self, case: Case) -> dict[str, Any]:
        return ProgressSerializer(self.context["progress"][case.id]).data


class FoundCaseSerializer(CaseSerializer):
    """A case of a patient: for those who may see patients but no cases, its id and the patient alone."""

    def to_representation(self, instance: Case) -> dict[str, Any]:
        shown = super().to_representation(instance)
        if self.context["may_view_cases"]:
            return shown
        return {name: shown[name] for name in ("id", "patient")}


class CaseSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Says what may be absent; what is only read counts as always there otherwise."""

    target_class = CaseSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(  # type: ignore[no-untyped-call]
            self.target, direction, bypass_extensions=True
        )
        may_be_absent = {"patient"}
        if isinstance(self.target, FoundCaseSerializer):
            may_be_absent = {*schema["properties"]} - {"id"}
        schema["required"] = [name for name in schema["required"] if name not in may_be_absent]
        return schema


class RowSerializer(JudgedRowSerializer):
    code = serializers.CharField()
    name = serializers.CharField(help_text="For people.")
    loinc = serializers.CharField(allow_null=True)
    unit = serializers.CharField(allow_null=True, help_text="Of `percent`, by UCUM.")
    count = serializers.IntegerField()
    percent = serializers.FloatField(
        allow_null=True, help_text="Of white cells; for erythroblasts and smudge cells per 100 white cells."
    )
    low = serializers.FloatField(allow_null=True, help_text="95 % Wilson interval.")
    high = serializers.FloatField(allow_null=True)


class DifferentialSerializer(MeaningSerializer):
    white_cells = RowSerializer(many=True)
    others = RowSerializer(many=True)
    totals = RowSerializer(
        many=True, help_text="Classes together with those that are part of them, where these have cells."
    )
    wbc_count = serializers.IntegerField()
    unidentified = serializers.IntegerField()
    not_classed = serializers.IntegerField(help_text="Looked at, and in no class and no per cent.")
    full_count = serializers.IntegerField(help_text="White cells of a full count: the lab's choice.")
    is_full = serializers.BooleanField(help_text="At least `full_count` white cells were counted.")


class ModelSerializer(serializers.Serializer[Any]):
    model = serializers.CharField(help_text="As cells name it.")
    cells = serializers.IntegerField(help_text="Of how many cells its answer counts.")


class CaseDetailSerializer(CaseSerializer):
    differential = DifferentialSerializer(
        read_only=True, help_text="The suggested one: cells that nobody decided, as the model suggests."
    )
    reviewed_differential = DifferentialSerializer(
        read_only=True, help_text="Cells that somebody decided, and no other."
    )
    models = ModelSerializer(many=True, read_only=True, help_text="Who said what counts, most cells first.")
    asked_again = serializers.IntegerField(
        read_only=True,
        help_text="Images that the newest version is asked of, and that an older one answered for.",
    )
    model_notice = serializers.CharField(
        read_only=True, allow_null=True, help_text="What to tell people while the model cannot answer."
    )

    class Meta(CaseSerializer.Meta):
        fields = (
            *(*CaseSerializer.Meta.fields, "differential", "reviewed_differential"),
            *("models", "asked_again", "model_notice"),
        )
