from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from webapp.api.fields import LARGEST_ID
from webapp.ranges import wording
from webapp.ranges.models import LAST_DAY, MOST_PER_100, SOURCE_LENGTH, Quantity, ReferenceRange, Sex
from webapp.ranges.tables import LARGEST_FILE, MOST_ROWS
from webapp.ranges.values import MEASURED, InvalidValues, Values, read

WAYS = ("ranges", "table", "shipped")


class RangeSerializer(serializers.ModelSerializer[ReferenceRange]):
    text = serializers.SerializerMethodField(help_text="The normal limits, in the lab's language.")
    proposed_by = serializers.CharField()
    approved_by = serializers.CharField(allow_null=True)

    class Meta:
        model = ReferenceRange
        fields = (
            *("id", "quantity", "sex", "age_from_days", "age_to_days"),
            *("low", "high", "critical_low", "critical_high", "source", "text"),
            *("proposed_by", "proposed_at", "approved_by", "approved_at", "valid_from"),
        )

    def get_fields(self) -> dict[str, Any]:
        return {"class": serializers.CharField(source="cell_class"), **super().get_fields()}

    def get_text(self, row: ReferenceRange) -> str:
        return wording.normal(row)


class RangesSerializer(serializers.Serializer[Any]):
    approved = RangeSerializer(many=True, help_text="What counts.")
    proposed = RangeSerializer(many=True, help_text="What nobody has approved, and so counts for nothing.")
    nrbc_correction_from = serializers.IntegerField(
        help_text="Erythroblasts per 100 white cells from which on they are taken off an analyser's count."
    )


class CorrectionSerializer(serializers.Serializer[Any]):
    nrbc_correction_from = serializers.IntegerField(
        min_value=1,
        max_value=MOST_PER_100,
        help_text="Erythroblasts per 100 white cells from which on they are taken off an analyser's count.",
    )


class LimitField(serializers.CharField):
    """A number, as JSON has it or as text, kept to its last digit."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(repr(data) if isinstance(data, float) else data)


class NewRangeSerializer(serializers.Serializer[Any]):
    quantity = serializers.ChoiceField(Quantity.choices)
    sex = serializers.ChoiceField(Sex.choices, default=Sex.ANY.value)
    age_from_days = serializers.IntegerField(min_value=0, max_value=LAST_DAY, default=0)
    age_to_days = serializers.IntegerField(
        min_value=1, max_value=LAST_DAY, default=None, allow_null=True, help_text="The first day after it."
    )
    low = LimitField(max_length=20, default=None, allow_null=True)
    high = LimitField(max_length=20, default=None, allow_null=True)
    critical_low = LimitField(max_length=20, default=None, allow_null=True)
    critical_high = LimitField(max_length=20, default=None, allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        source = serializers.CharField(max_length=SOURCE_LENGTH, help_text="Where the numbers are from.")
        named = {"class": serializers.ChoiceField(MEASURED), "source": source}
        return {**named, **super().get_fields()}

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        text = {name: "" if value is None else str(value) for name, value in given.items()}
        try:
            given["values"] = read({**text, "cell_class": text["class"]})
        except InvalidValues as error:
            raise serializers.ValidationError(
                {"class" if name == "cell_class" else name: [one] for name, one in error.errors.items()}
            ) from error
        return given


class ProposalSerializer(serializers.Serializer[Any]):
    ranges = serializers.ListField(child=NewRangeSerializer(), required=False, max_length=MOST_ROWS)
    table = serializers.CharField(
        required=False,
        max_length=LARGEST_FILE,
        trim_whitespace=False,
        help_text="CSV with the columns of `export.csv`, instead of `ranges`.",
    )
    shipped = serializers.BooleanField(
        required=False, default=False, help_text="Propose the set that comes with the product instead."
    )
    dry_run = serializers.BooleanField(default=False, help_text="Check, and propose nothing.")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if sum([bool(given.get("ranges")), "table" in given, given["shipped"]]) != 1:
            text = _("Give one of: %(names)s.") % {"names": ", ".join(WAYS)}
            raise serializers.ValidationError(text)
        return given

    @staticmethod
    def values(given: dict[str, Any]) -> list[Values]:
        return [one["values"] for one in given["ranges"]]


class ProposedSerializer(serializers.Serializer[Any]):
    proposed = RangeSerializer(many=True, help_text="Without those that are proposed already, or count.")
    n = serializers.IntegerField(help_text="How many rows were read.")


class ChosenSerializer(serializers.Serializer[Any]):
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID), min_length=1, max_length=2000
    )


class GroupSerializer(serializers.Serializer[Any]):
    quantity = serializers.ChoiceField(Quantity.choices)

    def get_fields(self) -> dict[str, Any]:
        return {"class": serializers.ChoiceField(MEASURED), **super().get_fields()}
