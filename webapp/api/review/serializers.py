from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from webapp.api.fields import WrittenField
from webapp.api.interpretation import JudgedRowSerializer, MeaningSerializer
from webapp.hematology.classes import BY_CODE, KEYS, UNIDENTIFIED
from webapp.inference.selectors import class_name, class_short
from webapp.review.cells import START, Place
from webapp.review.models import Reading
from webapp.review.services import CELLS_AT_ONCE, WORDS_LENGTH

LARGEST_ID, LARGEST_REVISION = 2**63 - 1, 2**31 - 1
OPENED = [(kind.value, kind.label) for kind in (Reading.Kind.FIRST, Reading.Kind.SECOND)]
CELLS_SHOWN, SIMILAR_SHOWN = 240, 48


class ReadingSerializer(serializers.ModelSerializer[Reading]):
    reader = serializers.CharField(allow_null=True, help_text="The name of who opened or does it.")

    class Meta:
        model = Reading
        fields: tuple[str, ...] = (
            *("id", "kind", "blinded", "reader", "revision", "opened_at"),
            *("finished_at", "unblinded_at"),
        )


class NewReadingSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(
        OPENED,
        help_text="`second` needs `read_second`, too.",
    )
    blinded = serializers.BooleanField(
        required=False,
        help_text="Its reader sees no other reading of the case, and nobody else sees it, until the case is"
        " signed. Second readings are, unless said otherwise; a first one never is.",
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        second = given["kind"] == Reading.Kind.SECOND
        if given.setdefault("blinded", second) and not second:
            raise serializers.ValidationError({"blinded": [_("A first reading cannot be blinded.")]})
        return given


class ClassSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.SerializerMethodField()
    short = serializers.SerializerMethodField(help_text="As tables and small pictures abbreviate it.")
    key = serializers.SerializerMethodField(
        help_text="That moves a cell there, unless a person chose another."
    )
    in_wbc = serializers.BooleanField(help_text="Whether it is counted among the white cells.")
    unit = serializers.CharField(allow_null=True, help_text="Of what is reported, by UCUM; null: a number.")
    rolls_up_to = serializers.CharField(allow_null=True, help_text="The class that it is part of.")
    suggested = serializers.BooleanField(help_text="Whether a model may suggest it.")

    def get_name(self, of: Any) -> str:
        return class_name(of.code)

    def get_short(self, of: Any) -> str:
        return class_short(of.code)

    def get_key(self, of: Any) -> str:
        return KEYS[of.code]


class SheetRowSerializer(JudgedRowSerializer):
    name = serializers.CharField()
    count = serializers.IntegerField()
    percent = serializers.FloatField(
        allow_null=True, help_text="Of white cells; for erythroblasts and smudge cells per 100 white cells."
    )
    low = serializers.FloatField(allow_null=True, help_text="95 % Wilson interval.")
    high = serializers.FloatField(allow_null=True)
    unit = serializers.CharField(allow_null=True)
    in_wbc = serializers.BooleanField()

    def get_fields(self) -> dict[str, Any]:
        return {"class": serializers.CharField(), **super().get_fields()}


class SheetSerializer(MeaningSerializer):
    wbc_count = serializers.IntegerField()
    rows = SheetRowSerializer(many=True)
    totals = SheetRowSerializer(
        many=True, help_text="Classes together with those that are part of them, where these have cells."
    )


class DifferentialsSerializer(serializers.Serializer[Any]):
    """The two differentials, which are never mixed."""

    reviewed = SheetSerializer(help_text="Cells that somebody decided, and no other.")
    suggested = SheetSerializer(help_text="Cells that nobody decided, as the model suggests.")
    undecided = serializers.IntegerField(help_text="Cells that nobody decided.")
    unidentified = serializers.IntegerField(help_text="Of these, cells that the model is unsure of.")
    not_classed = serializers.IntegerField(help_text="Looked at, and out of every count.")
    full_count = serializers.IntegerField(help_text="White cells of a full count: the lab's choice.")


class ReadingDetailSerializer(ReadingSerializer):
    may_decide = serializers.SerializerMethodField(
        help_text="Whether whoever asks may, and the case is neither signed nor void."
    )
    classes = serializers.SerializerMethodField(help_text="What the lab uses, in its order.")
    differential = serializers.SerializerMethodField()

    class Meta(ReadingSerializer.Meta):
        fields = ("id", "case", *ReadingSerializer.Meta.fields[1:], "may_decide", "classes", "differential")

    def get_may_decide(self, reading: Reading) -> bool:
        return bool(self.context["may_decide"])

    @extend_schema_field(ClassSerializer(many=True))
    def get_classes(self, reading: Reading) -> Any:
        return ClassSerializer(reading.lab.cell_classes, many=True).data

    @extend_schema_field(DifferentialsSerializer)
    def get_differential(self, reading: Reading) -> Any:
        return DifferentialsSerializer(self.context["differential"]).data


class CellsQuerySerializer(serializers.Serializer[Any]):
    after = serializers.CharField(required=False, max_length=80, help_text="What a section's `next` said.")
    limit = serializers.IntegerField(
        required=False, default=CELLS_SHOWN, min_value=1, max_value=CELLS_AT_ONCE
    )
    undecided = serializers.BooleanField(required=False, default=False)
    min_confidence = serializers.FloatField(required=False, min_value=0, max_value=1)
    max_confidence = serializers.FloatField(required=False, min_value=0, max_value=1)
    by = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_ID, help_text="Decided by this person."
    )
    file = serializers.CharField(required=False, max_length=255, help_text="A part of the file's name.")

    def get_fields(self) -> dict[str, Any]:
        code = serializers.ChoiceField(
            [*BY_CODE, UNIDENTIFIED], required=False, help_text="That section alone."
        )
        return {"class": code, **super().get_fields()}

    def validate_after(self, text: str) -> Place:
        try:
            return Place.read(text)
        except ValueError:
            raise serializers.ValidationError(_("Give what a section’s “next” said.")) from None

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.setdefault("after", START) != START and "class" not in given:
            raise serializers.ValidationError({"after": [_("Name the class whose section goes on there.")]})
        return given


ROW = {
    "type": "array",
    "items": {},
    "minItems": 10,
    "maxItems": 10,
    "description": (
        "cell's id; suggested class; its confidence; 1 where the model is unsure; decided class or null; id"
        " of who decided it or null; side of the cell's square in pixels of the original; which of `mosaics`"
        " shows it; its place there, from 0, row by row of 12; 1 where it is unlike what the model was"
        " trained on"
    ),
}
PEOPLE = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    "description": "Names of those who decided, by id.",
}


@extend_schema_field({"type": "array", "items": ROW})
class RowsField(serializers.ListField):
    pass


@extend_schema_field(PEOPLE)
class PeopleField(serializers.DictField):
    pass


class SectionSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    undecided = serializers.IntegerField()
    next = serializers.CharField(
        allow_null=True, help_text="`after` for the cells that follow; null: none do."
    )
    cells = RowsField()

    def get_fields(self) -> dict[str, Any]:
        return {"class": serializers.CharField(), **super().get_fields()}


class MosaicsSerializer(serializers.Serializer[Any]):
    mosaics = serializers.ListField(
        child=serializers.CharField(), help_text="Addresses of pages' pictures, up to 96 cells in each."
    )
    people = PeopleField()


class SuggestionsField(serializers.IntegerField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            min_value=0,
            help_text="How often the model answered anew for images of the case: by another number, what is"
            " suggested of its cells may be other.",
            **options,
        )


class CellsSerializer(MosaicsSerializer):
    revision = serializers.IntegerField()
    suggestions = SuggestionsField()
    sections = SectionSerializer(many=True)


class SimilarQuerySerializer(serializers.Serializer[Any]):
    limit = serializers.IntegerField(required=False, default=SIMILAR_SHOWN, min_value=1, max_value=240)


class SimilarSerializer(MosaicsSerializer):
    cells = RowsField()


class SaidOfCellSerializer(serializers.Serializer[Any]):
    """What was last decided of a cell."""

    by = serializers.CharField()
    at = serializers.DateTimeField()
    number = serializers.IntegerField()
    confirmed = serializers.BooleanField(help_text="They agreed with what was suggested.")
    suggested_class = serializers.CharField(help_text="What was suggested then.")
    suggested_confidence = serializers.FloatField(allow_null=True)
    words = serializers.CharField(
        allow_null=True, help_text="Their own, for roles with `view_identifiers` alone."
    )

    def get_fields(self) -> dict[str, Any]:
        return {"class": serializers.CharField(source="cell_class"), **super().get_fields()}


class CellOfReadingSerializer(serializers.Serializer[Any]):
    cell = serializers.IntegerField()
    file = serializers.CharField()
    decision = SaidOfCellSerializer(allow_null=True)


class CellIdField(serializers.IntegerField):
    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **options)


class DecisionSerializer(serializers.Serializer[Any]):
    cell = CellIdField()
    words = WrittenField(
        required=False, allow_blank=True, max_length=WORDS_LENGTH, help_text="Kept encrypted, as who it is."
    )

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "class": serializers.CharField(max_length=32)}


class GestureSerializer(serializers.Serializer[Any]):
    """What a person does at once: one of `decisions`, `confirm` and `undo`."""

    gesture = serializers.UUIDField(help_text="Chosen by the client: sent again, it is done once.")
    client = serializers.UUIDField(help_text="The page or program that sends it, the same in all it sends.")
    base_revision = serializers.IntegerField(min_value=0, max_value=LARGEST_REVISION)
    decisions = DecisionSerializer(  # type: ignore[call-arg] # taken by the list that `many` makes
        many=True, required=False, allow_empty=False, max_length=CELLS_AT_ONCE
    )
    confirm = serializers.ListField(
        child=CellIdField(),
        required=False,
        allow_empty=False,
        max_length=CELLS_AT_ONCE,
        help_text="Cells of which the person agrees with what is suggested, flagged or not.",
    )
    seen = serializers.ListField(
        child=serializers.CharField(max_length=32),
        required=False,
        max_length=CELLS_AT_ONCE,
        help_text="What they saw suggested of each cell of `confirm`: one of which something else is"
        " suggested by now comes back in `conflicts`.",
    )
    undo = serializers.UUIDField(required=False, help_text="One of the person's gestures in this reading.")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        asked = [name for name in ("decisions", "confirm", "undo") if name in given]
        if len(asked) != 1:
            raise serializers.ValidationError(
                {"decisions": [_("Give one of decisions, confirm and undo, and no more.")]}
            )
        if "seen" in given and len(given["seen"]) != len(given.get("confirm", ())):
            raise serializers.ValidationError({"seen": [_("Give one class for each cell of confirm.")]})
        cells = [one["cell"] for one in given.get("decisions", ())] or given.get("confirm", [])
        twice = (
            sorted({cell for cell in cells if cells.count(cell) > 1}) if len(set(cells)) < len(cells) else []
        )
        if twice:
            raise serializers.ValidationError(
                {asked[0]: {str(cell): [_("This cell is named twice.")] for cell in twice}}
            )
        return given


class ChangeSerializer(serializers.Serializer[Any]):
    """How a cell is now."""

    cell = serializers.IntegerField()
    by = serializers.IntegerField(allow_null=True)
    number = serializers.IntegerField(help_text="Of its last decision.")

    def get_fields(self) -> dict[str, Any]:
        code = serializers.CharField(source="cell_class", allow_null=True, help_text="Null: undecided.")
        return {"class": code, **super().get_fields()}


class ConflictSerializer(ChangeSerializer):
    suggested = serializers.CharField(allow_null=True)
    flagged = serializers.BooleanField(allow_null=True)


APPLIED = {
    "type": "array",
    "items": {"type": "array", "items": {}, "minItems": 3, "maxItems": 3},
    "description": "Of each cell that was decided: id, class (null: undecided), 1 where it was confirmed.",
}


@extend_schema_field(APPLIED)
class AppliedField(serializers.ListField):
    pass


class ChangesQuerySerializer(serializers.Serializer[Any]):
    since = serializers.IntegerField(min_value=0, max_value=LARGEST_REVISION)
    suggestions = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=LARGEST_REVISION,
        help_text="As an answer said: another number is news, too.",
    )


class ChangesSerializer(serializers.Serializer[Any]):
    revision = serializers.IntegerField()
    suggestions = SuggestionsField()
    changes = ChangeSerializer(many=True)
    people = PeopleField()
    differential = DifferentialsSerializer()


class OutcomeSerializer(ChangesSerializer):
    applied = AppliedField()
    conflicts = ConflictSerializer(
        many=True, help_text="Cells that stay as they are: somebody else decided them since `base_revision`."
    )
