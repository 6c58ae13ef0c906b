from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from webapp.api.inference.serializers import ImageSerializer, ReasonSerializer, reason_of
from webapp.cases.models import Image, Slide

MAX_FILES = 500


@extend_schema_field(OpenApiTypes.STR)
class FileNameField(serializers.Field):  # type: ignore[type-arg]
    """Any text: what cannot be stored is taken out of it later, for one name must not fail all files."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError(_("A file's name is a text."))
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

    replaces = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=2**63 - 1,
        help_text="In place of which refused or failed image of the case it is given, to account for that.",
    )

    def validate_sha256(self, value: str | None) -> bytes | None:
        return bytes.fromhex(value) if value else None


class OfSlideSerializer(serializers.Serializer[Any]):
    slide = serializers.PrimaryKeyRelatedField(
        queryset=Slide._base_manager.none(),
        required=False,
        allow_null=True,
        help_text="Of which of the case's slides the files are; those that the case has stay as they are.",
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        if "slides" in self.context:  # of the case
            fields["slide"].queryset = self.context["slides"]  # type: ignore[attr-defined]
        return fields


class BeginSerializer(OfSlideSerializer):
    # The stubs do not know that `many` makes it a ListSerializer, which has a `max_length`.
    files = FileSerializer(many=True, allow_empty=False, max_length=MAX_FILES)  # type: ignore[call-arg]
    again = serializers.BooleanField(
        default=False,
        help_text="Ask also for files that were refused before: to have them judged once more.",
    )


class AlreadySerializer(serializers.ModelSerializer[Image]):
    reason = serializers.SerializerMethodField(help_text="Why it was refused or failed before.")

    replaced_by = serializers.IntegerField(
        source="replaced_by_id",
        allow_null=True,
        help_text="The image given in its place: its own bytes are wanted no more.",
    )

    class Meta:
        model = Image
        fields = ("name", "status", "reason", "replaced_by")

    @extend_schema_field(ReasonSerializer(allow_null=True))
    def get_reason(self, image: Image) -> dict[str, str] | None:
        return reason_of(image)


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
        return None if upload.form or upload.already else reason_of(upload.image)

    @extend_schema_field(AlreadySerializer(allow_null=True))
    def get_already(self, upload: Any) -> dict[str, Any] | None:
        return AlreadySerializer(upload.image).data if upload.already else None


class UploadsSerializer(serializers.Serializer[Any]):
    uploads = UploadSerializer(many=True)


class RenewSerializer(serializers.Serializer[Any]):
    ids = serializers.ListField(child=serializers.IntegerField(), allow_empty=False, max_length=MAX_FILES)


class CompleteSerializer(serializers.Serializer[Any]):
    ids = serializers.ListField(child=serializers.IntegerField(), allow_empty=False, max_length=MAX_FILES)
    bulk = serializers.BooleanField(default=False, help_text="Nobody waits at a screen: use the bulk queue.")


class AcceptedSerializer(serializers.Serializer[Any]):
    accepted = serializers.IntegerField()


class FilesSerializer(OfSlideSerializer):
    replaces = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=2**63 - 1,
        help_text="As of `uploads/`, for a request of one file.",
    )
    files = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True, max_length=4096),
        allow_empty=False,
        max_length=100,
        error_messages={"empty": _("Send at least one file, in the form field `files`.")},
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("replaces") and len(given["files"]) > 1:
            raise serializers.ValidationError({"replaces": [_("One file is given in place of one.")]})
        return given


class ReceivedSerializer(ImageSerializer):
    already = serializers.BooleanField(
        help_text="The case had these bytes before, perhaps under this other name; nothing was added."
    )

    class Meta(ImageSerializer.Meta):
        fields = (*ImageSerializer.Meta.fields, "already")
