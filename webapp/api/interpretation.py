"""What a count means, for the serializers of all domains; they take what `webapp.results.answers` makes."""

from typing import Any

from rest_framework import serializers

from webapp.hematology.flags import BY_WEIGHT
from webapp.results.interpretation import Correction, NoRange

FLAGS = [flag.value for flag in BY_WEIGHT]


class JudgedRowSerializer(serializers.Serializer[Any]):
    absolute = serializers.CharField(
        allow_null=True, help_text="10^9/L; null: the white cells are not known, or it is none of these."
    )
    absolute_low = serializers.CharField(allow_null=True, help_text="95 % interval, as of the percentage.")
    absolute_high = serializers.CharField(allow_null=True)
    flags = serializers.ListField(
        child=serializers.ChoiceField(FLAGS),
        help_text="What matters most first: LL and HH critical, A abnormal in itself, L low, H high.",
    )
    near_limit = serializers.BooleanField(
        help_text="It is flagged, and the limit is within its counting error."
    )
    range = serializers.CharField(
        help_text="The range that judged it, in the lab's language, or why none did; empty: none ever does."
    )
    no_range = serializers.ChoiceField(
        [(one.value, one.label) for one in NoRange], allow_null=True, help_text="Why none judged it."
    )
    parts = serializers.ListField(
        child=serializers.CharField(),
        help_text="Of a total: the classes that are counted in it. It is judged instead of its own class.",
    )


class MeaningSerializer(serializers.Serializer[Any]):
    wbc = serializers.CharField(
        allow_null=True, help_text="White cells without erythroblasts, 10^9/L; null: not known."
    )
    wbc_given = serializers.CharField(allow_null=True, help_text="White cells as they were entered.")
    wbc_correction = serializers.ChoiceField([(one.value, one.label) for one in Correction])
    notes = serializers.ListField(
        child=serializers.CharField(),
        help_text="Why there are no absolute values, or why rows are not judged, in the lab's language.",
    )
    flags = serializers.ListField(
        child=serializers.ChoiceField(FLAGS), help_text="Of all rows, what matters most first."
    )
