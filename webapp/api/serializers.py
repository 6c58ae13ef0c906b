from collections.abc import Callable
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import Direction, extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from webapp.cases.identifiers import (
    FIELDS,
    MRN_LENGTH,
    NAME_LENGTH,
    NOTES_LENGTH,
    Identifiers,
    Sex,
    day_in_a_life,
    found_again,
    normal_accession,
)
from webapp.cases.models import Case, Image
from webapp.cases.selectors import Progress
from webapp.hematology.classes import BY_CODE, UNIDENTIFIED
from webapp.inference.models import Chunk, Doubt, Prediction
from webapp.inference.selectors import class_name
from webapp.labs.models import ApiToken
from webapp.labs.permissions import Permission, Role
from webapp.labs.tokens import network
from webapp.registry.models import ModelVersion, Status
from webapp.writing.fields import seen, seen_lines
from webapp.writing.text import lines, one_line

MAX_FILES = 500


class WrittenField(serializers.CharField):
    """What people write: made even by `normalise`, and refused by `refuse` where something hides in it."""

    def __init__(
        self,
        *,
        normalise: Callable[[str], str] = one_line,
        refuse: Callable[[str], None] = seen,
        **options: Any,
    ) -> None:
        self.normalise = normalise
        super().__init__(validators=[refuse], **options)

    def to_internal_value(self, data: Any) -> str:
        given = self.normalise(super().to_internal_value(data))
        if not (given or self.allow_blank):
            self.fail("blank")
        return given


class ProgressSerializer(serializers.Serializer[Progress]):
    state = serializers.ChoiceField(["empty", "in_progress", "needs_attention", "done"])
    total = serializers.IntegerField()
    received = serializers.IntegerField(help_text="Waiting for the model.")
    classified = serializers.IntegerField()
    refused = serializers.IntegerField()
    failed = serializers.IntegerField()


class PatientSerializer(serializers.Serializer[Identifiers]):
    """Who the patient is: kept encrypted, and in no answer to roles without `view_identifiers`.

    Shows what the context's `patient_fields` name, all without it.
    """

    name = WrittenField(required=False, allow_blank=True, max_length=NAME_LENGTH)
    mrn = WrittenField(
        required=False, allow_blank=True, max_length=MRN_LENGTH, help_text="Medical record number."
    )
    birth_date = serializers.DateField(required=False, allow_null=True, validators=[day_in_a_life])
    sex = serializers.ChoiceField(
        Sex.choices,
        required=False,
        allow_blank=True,
        error_messages={"invalid_choice": f"One of {', '.join(Sex.values)}, or nothing."},
    )
    notes = WrittenField(
        normalise=lines, refuse=seen_lines, required=False, allow_blank=True, max_length=NOTES_LENGTH
    )
    unreadable = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Fields that cannot be decrypted and are missing for that reason.",
    )

    def validate_mrn(self, mrn: str) -> str:
        if mrn:
            found_again(mrn)
        return mrn

    def to_representation(self, instance: Identifiers) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        wanted = {*self.context.get("patient_fields", FIELDS), "unreadable"} - {*instance.unreadable}
        return {name: value for name, value in shown.items() if name in wanted}


class PatientQuerySerializer(serializers.Serializer[Any]):
    mrn = serializers.CharField(max_length=MRN_LENGTH, help_text="Exactly, but for case and separators.")


class NewCaseSerializer(serializers.ModelSerializer[Case]):
    accession = WrittenField(normalise=normal_accession, max_length=64)
    patient = PatientSerializer(required=False, help_text="Needs `edit_identifiers`.")

    class Meta:
        model = Case
        fields = ("accession", "patient")


class CaseSerializer(serializers.ModelSerializer[Case]):
    created_by = serializers.CharField(source="created_by.name", read_only=True)
    progress = serializers.SerializerMethodField()
    patient = serializers.SerializerMethodField(
        help_text="Absent for roles without `view_identifiers`; without `notes` in lists."
    )

    class Meta:
        model = Case
        fields: tuple[str, ...] = ("id", "accession", "created_by", "created_at", "progress", "patient")

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


class RowSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(source="cell_class.code")
    name = serializers.CharField(source="cell_class.name")
    loinc = serializers.CharField(source="cell_class.loinc", allow_null=True)
    unit = serializers.CharField(
        source="cell_class.unit", allow_null=True, help_text="Of `percent`, by UCUM."
    )
    count = serializers.IntegerField()
    percent = serializers.FloatField(
        allow_null=True, help_text="Of white cells; for erythroblasts per 100 white cells."
    )
    low = serializers.FloatField(allow_null=True, help_text="95 % Wilson interval.")
    high = serializers.FloatField(allow_null=True)


class DifferentialSerializer(serializers.Serializer[Any]):
    white_cells = RowSerializer(many=True)
    others = RowSerializer(many=True)
    wbc_count = serializers.IntegerField()
    unidentified = serializers.IntegerField()
    full_count = serializers.IntegerField(help_text="White cells of a full count: the lab's choice.")
    is_full = serializers.BooleanField(help_text="At least `full_count` white cells were counted.")


class CaseDetailSerializer(CaseSerializer):
    differential = DifferentialSerializer(read_only=True)
    model_notice = serializers.CharField(
        read_only=True, allow_null=True, help_text="What to tell people while the model cannot answer."
    )

    class Meta(CaseSerializer.Meta):
        fields = (*CaseSerializer.Meta.fields, "differential", "model_notice")


class ReasonSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


def _reason(image: Image) -> dict[str, str] | None:
    if image.status not in (Image.Status.REFUSED, Image.Status.FAILED):
        return None
    return {"code": image.refusal or "failed", "message": image.detail}


class ImageSerializer(serializers.ModelSerializer[Image]):
    reason = serializers.SerializerMethodField(help_text="Why it was refused or failed.")
    cell_class = serializers.SerializerMethodField(help_text="The suggestion; `unidentified` where unsure.")
    most_probable = serializers.SerializerMethodField()
    confidence = serializers.SerializerMethodField()
    flagged = serializers.SerializerMethodField(help_text="Whether a person must look: it is unidentified.")
    flagged_because = serializers.SerializerMethodField(help_text="Every reason for which it is flagged.")
    distance = serializers.SerializerMethodField(
        help_text="From the cells the model was trained on; above 1 it is unlike them."
    )
    model = serializers.SerializerMethodField(help_text="The model version that answered.")

    class Meta:
        model = Image
        fields: tuple[str, ...] = (
            "id",
            "name",
            "status",
            "bytes",
            "width",
            "height",
            "received_at",
            "finished_at",
            "reason",
            "cell_class",
            "most_probable",
            "confidence",
            "flagged",
            "flagged_because",
            "distance",
            "model",
        )

    @staticmethod
    def _prediction(image: Image) -> Prediction | None:
        current: list[Prediction] = image.current  # type: ignore[attr-defined]
        return current[0] if current else None

    @extend_schema_field(ReasonSerializer(allow_null=True))
    def get_reason(self, image: Image) -> dict[str, str] | None:
        return _reason(image)

    @extend_schema_field(serializers.ChoiceField([*BY_CODE, UNIDENTIFIED], allow_null=True))
    def get_cell_class(self, image: Image) -> str | None:
        prediction = self._prediction(image)
        if prediction is None:
            return None
        return UNIDENTIFIED if prediction.flagged else prediction.cell_class

    def get_most_probable(self, image: Image) -> str | None:
        prediction = self._prediction(image)
        return prediction.cell_class if prediction else None

    def get_confidence(self, image: Image) -> float | None:
        prediction = self._prediction(image)
        return prediction.confidence if prediction else None

    def get_flagged(self, image: Image) -> bool | None:
        prediction = self._prediction(image)
        return prediction.flagged if prediction else None

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(Doubt.choices)))
    def get_flagged_because(self, image: Image) -> list[str]:
        prediction = self._prediction(image)
        return [doubt.value for doubt in prediction.doubts] if prediction else []

    def get_distance(self, image: Image) -> float | None:
        prediction = self._prediction(image)
        return prediction.distance if prediction else None

    def get_model(self, image: Image) -> str | None:
        prediction = self._prediction(image)
        return str(prediction.model_version) if prediction else None


class ReceivedSerializer(ImageSerializer):
    already = serializers.BooleanField(
        help_text="The case had these bytes before, perhaps under this other name; nothing was added."
    )

    class Meta(ImageSerializer.Meta):
        fields = (*ImageSerializer.Meta.fields, "already")


class ImageDetailSerializer(ImageSerializer):
    probabilities = serializers.SerializerMethodField(help_text="By class, most probable first.")
    picture = serializers.SerializerMethodField()
    evidence = serializers.SerializerMethodField(help_text="PNG to lay over the picture's centre square.")

    class Meta(ImageSerializer.Meta):
        fields = (*ImageSerializer.Meta.fields, "probabilities", "picture", "evidence")

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_probabilities(self, image: Image) -> list[dict[str, Any]]:
        prediction = self._prediction(image)
        if prediction is None:
            return []
        pairs = zip(prediction.model_version.labels, prediction.probabilities, strict=True)
        return [
            {"code": code, "name": class_name(code), "probability": probability}
            for code, probability in sorted(pairs, key=lambda pair: -pair[1])
        ]

    def get_picture(self, image: Image) -> str | None:
        if image.status != Image.Status.CLASSIFIED:
            return None
        return reverse("api:picture", [image.id], request=self.context["request"])

    def get_evidence(self, image: Image) -> str | None:
        if self._prediction(image) is None:
            return None
        return reverse("api:evidence", [image.id], request=self.context["request"])


class ModelVersionSerializer(serializers.ModelSerializer[ModelVersion]):
    own = serializers.SerializerMethodField(help_text="The lab's own model, served beside the base model.")
    status = serializers.ChoiceField(Status.choices)
    in_use = serializers.SerializerMethodField(help_text="Classifies the lab's images now.")
    model = serializers.JSONField(source="info", help_text="The version's model.json, metrics included.")

    class Meta:
        model = ModelVersion
        fields = (
            "name",
            "version",
            "own",
            "status",
            "in_use",
            "published_at",
            "published_by",
            "withdrawn_at",
            "withdrawn_by",
            "model",
        )

    def get_own(self, version: ModelVersion) -> bool:
        return version.lab_id is not None

    def get_in_use(self, version: ModelVersion) -> bool:
        return bool(version == self.context["answering"])


class CaseQuerySerializer(serializers.Serializer[Any]):
    # Asked for none, there is none: not all.
    accession = serializers.CharField(required=False, allow_blank=True, help_text="Exactly this number.")


class ImageQuerySerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(Image.Status.choices, required=False)
    cell_class = serializers.ChoiceField([*BY_CODE, UNIDENTIFIED], required=False)


class DeadLetterSerializer(serializers.ModelSerializer[Chunk]):
    case = serializers.UUIDField(source="case_id")
    accession = serializers.CharField(source="case.accession")
    images = serializers.IntegerField(source="n")

    class Meta:
        model = Chunk
        fields = ("id", "case", "accession", "images", "attempts", "error", "finished_at")


@extend_schema_field(OpenApiTypes.STR)
class FileNameField(serializers.Field):  # type: ignore[type-arg]
    """Any text: what cannot be stored is taken out of it later, for one name must not fail all files."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("A file's name is a text.")
        return data

    def to_representation(self, value: str) -> str:
        return value


class FileSerializer(serializers.Serializer[Any]):
    name = FileNameField()
    size = serializers.IntegerField(min_value=0, max_value=2**40, help_text="Bytes.")
    sha256 = serializers.RegexField(
        r"^[0-9a-fA-F]{64}$",
        required=False,
        allow_null=True,
        help_text="Of the file's bytes, in hexadecimal digits. With it, what the case has is not asked for "
        "again, and what arrives changed is refused.",
    )

    def validate_sha256(self, value: str | None) -> bytes | None:
        return bytes.fromhex(value) if value else None


class BeginSerializer(serializers.Serializer[Any]):
    # The stubs do not know that `many` makes it a ListSerializer, which has a `max_length`.
    files = FileSerializer(many=True, allow_empty=False, max_length=MAX_FILES)  # type: ignore[call-arg]
    again = serializers.BooleanField(
        default=False,
        help_text="Ask also for files that were refused before: to have them judged once more.",
    )


class AlreadySerializer(serializers.ModelSerializer[Image]):
    reason = serializers.SerializerMethodField(help_text="Why it was refused or failed before.")

    class Meta:
        model = Image
        fields = ("name", "status", "reason")

    @extend_schema_field(ReasonSerializer(allow_null=True))
    def get_reason(self, image: Image) -> dict[str, str] | None:
        return _reason(image)


class UploadSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="image.id")
    name = serializers.CharField(source="image.name")
    url = serializers.SerializerMethodField(help_text="Where to post the bytes; null: they are not wanted.")
    # Named `fields` in JSON, which a serializer's own attribute of that name would not allow here.
    form_fields = serializers.SerializerMethodField(method_name="get_form_fields")
    refused = serializers.SerializerMethodField(help_text="Why the file was refused outright, now.")
    already = serializers.SerializerMethodField(
        help_text="What the case has of these bytes, perhaps under this other name; null: nothing before."
    )

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["fields"] = fields.pop("form_fields")
        return fields

    def get_url(self, upload: Any) -> str | None:
        return upload.form["url"] if upload.form else None

    @extend_schema_field(serializers.DictField(child=serializers.CharField(), allow_null=True))
    def get_form_fields(self, upload: Any) -> dict[str, str] | None:
        return upload.form["fields"] if upload.form else None

    @extend_schema_field(ReasonSerializer(allow_null=True))
    def get_refused(self, upload: Any) -> dict[str, str] | None:
        return None if upload.form or upload.already else _reason(upload.image)

    @extend_schema_field(AlreadySerializer(allow_null=True))
    def get_already(self, upload: Any) -> dict[str, Any] | None:
        return AlreadySerializer(upload.image).data if upload.already else None


class UploadsSerializer(serializers.Serializer[Any]):
    uploads = UploadSerializer(many=True)


class CompleteSerializer(serializers.Serializer[Any]):
    ids = serializers.ListField(child=serializers.IntegerField(), allow_empty=False, max_length=MAX_FILES)
    bulk = serializers.BooleanField(default=False, help_text="Nobody waits at a screen: use the bulk queue.")


class RenewSerializer(serializers.Serializer[Any]):
    ids = serializers.ListField(child=serializers.IntegerField(), allow_empty=False, max_length=MAX_FILES)


class AcceptedSerializer(serializers.Serializer[Any]):
    accepted = serializers.IntegerField()


class FilesSerializer(serializers.Serializer[Any]):
    files = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True, max_length=4096),
        allow_empty=False,
        max_length=100,
        error_messages={"empty": "Send at least one file, in the form field `files`."},
    )


class RequeuedSerializer(serializers.Serializer[Any]):
    images = serializers.IntegerField()


class NetworkField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        try:
            return network(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class SignInSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    password = serializers.CharField(trim_whitespace=False)
    code = serializers.CharField(
        max_length=20,
        default="",
        help_text="Of the authenticator app, or a recovery code; where one is needed.",
    )
    lab = serializers.UUIDField(required=False, help_text="Needed where the person belongs to several labs.")
    name = WrittenField(max_length=100, default="command line")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(Permission.choices),
        required=False,
        help_text="What the token may do at most; without it: whatever its owner may.",
    )
    days = serializers.IntegerField(
        min_value=1,
        max_value=36_500,
        required=False,
        help_text="Until it expires, at most what the server allows.",
    )
    networks = serializers.ListField(
        child=NetworkField(max_length=43),
        default=list,
        max_length=20,
        help_text="Where it may be used from, in CIDR notation; without any: anywhere.",
    )


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    owner = serializers.EmailField(source="membership.user.email")

    class Meta:
        model = ApiToken
        fields = (
            "id",
            "name",
            "prefix",
            "owner",
            "scopes",
            "networks",
            "created_at",
            "expires_at",
            "last_used_at",
        )


class NewTokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(source="secret", help_text="The secret. It cannot be had again.")
    id = serializers.IntegerField(source="token.id")
    lab = serializers.CharField(source="token.membership.lab.name")
    role = serializers.ChoiceField(Role.choices, source="token.membership.role")
    expires_at = serializers.DateTimeField(source="token.expires_at")
