from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from webapp.accounts.methods import Method
from webapp.api.fields import WrittenField
from webapp.results.amending import REASON_LENGTH
from webapp.results.completeness import Missing
from webapp.results.disclosure import ShownResult, without_identifiers
from webapp.results.models import Result, Signature, Step
from webapp.results.signing import REASON_LENGTH as SHORTFALL_LENGTH
from webapp.results.signing import Prepared
from webapp.writing.fields import seen_lines
from webapp.writing.text import lines

ASKED = (Method.PASSWORD, Method.TOTP, Method.PIN)
"""What can be given in a request; keys and identity providers need the page."""
LARGEST_REVISION, LARGEST_VERSION = 2**31 - 1, 2**31 - 1


class SignatureSerializer(serializers.ModelSerializer[Signature]):
    name = serializers.CharField(source="printed_name", help_text="As it was then.")
    sha256 = serializers.SerializerMethodField(help_text="Of the document that was signed.")

    class Meta:
        model = Signature
        fields: tuple[str, ...] = ("name", "role", "meaning", "at", "zone", "method", "sha256")

    def get_sha256(self, signature: Signature) -> str:
        return bytes(signature.sha256).hex()


class StepSerializer(serializers.ModelSerializer[Step]):
    by = serializers.CharField(help_text="The name of who did it.")

    class Meta:
        model = Step
        fields: tuple[str, ...] = ("kind", "by", "at")


class ResultSerializer(serializers.ModelSerializer[Result]):
    """One version of what was signed of a case."""

    sha256 = serializers.CharField(source="digest", help_text="Of the document.")
    amends = serializers.IntegerField(source="amends.version", default=None, help_text="That version.")
    signatures = SignatureSerializer(many=True)
    steps = StepSerializer(many=True, help_text="What was done about it afterwards.")

    class Meta:
        model = Result
        fields: tuple[str, ...] = (
            *("id", "version", "status", "revision", "sha256", "needed", "made_at", "amends"),
            *("signatures", "steps"),
        )


class ShownResultSerializer(serializers.Serializer[ShownResult]):
    result = ResultSerializer()
    document = serializers.DictField(
        source="values",
        allow_null=True,
        help_text="What was signed, as it was then: without who the patient is, and what people wrote, for"
        " roles that may not see it. Null: it cannot be read any more.",
    )
    patient_changed = serializers.ListField(
        source="since.differs",
        child=serializers.CharField(),
        help_text="Details of the patient that are otherwise now.",
    )
    patient_erased = serializers.BooleanField(source="since.erased")
    altered = serializers.SerializerMethodField(
        help_text="What was changed behind the product's back, in words; use none of it where there is any."
    )

    def get_altered(self, shown: ShownResult) -> list[str]:
        return [finding.problem for finding in shown.findings]


class MissingSerializer(serializers.Serializer[Missing]):
    code = serializers.CharField()
    sentence = serializers.CharField()
    excusable = serializers.BooleanField(source="is_excusable", help_text="By a reason that is given.")


class PreparedSerializer(serializers.Serializer[Prepared]):
    """What would be signed of a case now."""

    meaning = serializers.ChoiceField(Signature.Meaning.choices)
    missing = MissingSerializer(many=True)
    revision = serializers.SerializerMethodField(help_text="Null: there is nothing to sign.")
    sha256 = serializers.CharField(source="draft.digest", default=None)
    document = serializers.SerializerMethodField()

    @extend_schema_field(serializers.DictField(allow_null=True))
    def get_document(self, prepared: Prepared) -> dict[str, Any] | None:
        if prepared.draft is None:
            return None
        values = prepared.draft.values
        return values if self.context["sees"] else without_identifiers(values)

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_revision(self, prepared: Prepared) -> int | None:
        return int(prepared.draft.values["reading"]["revision"]) if prepared.draft else None


class PreparedQuerySerializer(serializers.Serializer[Any]):
    """Posted, for a reason may say something of the patient."""

    reason = WrittenField(
        normalise=lines,
        check=seen_lines,
        required=False,
        allow_blank=True,
        default="",
        max_length=SHORTFALL_LENGTH,
        help_text="Why it is signed although something is missing; it stands in the document.",
    )


class SignSerializer(PreparedQuerySerializer):
    revision = serializers.IntegerField(min_value=0, max_value=LARGEST_REVISION)
    sha256 = serializers.RegexField("^[0-9a-f]{64}$", help_text="Of the document that was shown.")
    meaning = serializers.ChoiceField(Signature.Meaning.choices)
    method = serializers.ChoiceField([(one.value, one.label) for one in ASKED])
    proof = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)


class VersionSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField(
        min_value=1, max_value=LARGEST_VERSION, help_text="Of the result that was looked at."
    )


class WithReasonSerializer(VersionSerializer):
    reason = WrittenField(normalise=lines, check=seen_lines, max_length=REASON_LENGTH)
