from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from webapp.api.fields import WrittenField
from webapp.hematology.classes import BY_CODE
from webapp.rules.conditions import (
    ANY,
    MOST_CONDITIONS,
    Condition,
    InvalidCondition,
    Operator,
    Quantity,
    Then,
    read_all,
)
from webapp.rules.models import NAME_LENGTH, REMARK_LENGTH, SOURCE_LENGTH, Rule
from webapp.rules.services import Draft

CLASSES = [(code, code) for code in (*BY_CODE, ANY)]


class ConditionSerializer(serializers.Serializer[Any]):
    quantity = serializers.ChoiceField(Quantity.choices)
    op = serializers.ChoiceField(
        Operator.choices, help_text="`is` for a flag, a sex and a first result; else one of the others."
    )
    value = serializers.CharField(
        max_length=20, help_text="A number; a flag (L, H, LL, HH, A); `female` or `male`; `yes`."
    )

    def get_fields(self) -> dict[str, Any]:
        code = serializers.ChoiceField(
            CLASSES, required=False, allow_blank=True, help_text="Of what is of a class of cells."
        )
        return {**super().get_fields(), "class": code}


class ConditionsSerializer(serializers.Serializer[Any]):
    when = serializers.ListField(
        child=ConditionSerializer(),
        max_length=MOST_CONDITIONS,
        allow_empty=False,
        help_text="All must hold.",
    )

    def validate_when(self, given: list[dict[str, Any]]) -> tuple[Condition, ...]:
        try:
            return read_all(given)
        except InvalidCondition as error:
            raise serializers.ValidationError(str(error)) from error


class DraftSerializer(ConditionsSerializer):
    name = WrittenField(max_length=NAME_LENGTH)
    then = serializers.ChoiceField(Then.choices)
    remark = WrittenField(
        max_length=REMARK_LENGTH, required=False, allow_blank=True, help_text="That `remark` proposes."
    )
    source = WrittenField(  # type: ignore[assignment] # the name is the column's
        max_length=SOURCE_LENGTH, required=False, allow_blank=True, help_text="Where the numbers are from."
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["then"] == Then.REMARK and not given.get("remark"):
            raise serializers.ValidationError({"remark": [self.fields["remark"].error_messages["required"]]})
        return given

    @property
    def draft(self) -> Draft:
        given = dict(self.validated_data)
        when, then = given.pop("when"), Then(given.pop("then"))
        return Draft(conditions=when, then=then, **given)


class RuleSerializer(serializers.ModelSerializer[Rule]):
    when = serializers.SerializerMethodField()
    sentence = serializers.CharField(help_text="What it does, in words.")
    is_on = serializers.BooleanField(help_text="Whether it counts: somebody accepted this version.")
    made_by = serializers.CharField()
    accepted_by = serializers.CharField(allow_null=True)

    class Meta:
        model = Rule
        fields = (
            *("id", "version", "name", "when", "then", "remark", "source", "sentence", "is_on"),
            *("made_by", "made_at", "accepted_by", "accepted_at"),
        )

    @extend_schema_field(ConditionSerializer(many=True))
    def get_when(self, rule: Rule) -> Any:
        return rule.when


class TriedSerializer(serializers.Serializer[Any]):
    cases = serializers.IntegerField(help_text="How many of the lab's last reviewed cases were looked at.")
    caught = serializers.IntegerField(help_text="How many of these the conditions hold of.")


class ShippedSerializer(serializers.Serializer[Any]):
    added = serializers.IntegerField()
