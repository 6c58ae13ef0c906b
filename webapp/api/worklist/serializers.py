from typing import Any

from rest_framework import serializers

from webapp.api.fields import WrittenField
from webapp.cases.identifiers import normal_accession
from webapp.cases.models import Case, Priority, Processing, Review
from webapp.labs.models import LONGEST_TURNAROUND
from webapp.worklist.filters import (
    FLAGS,
    LARGEST_ID,
    LONGEST_HOURS,
    MINE,
    NOBODY,
    PRIORITIES,
    REVIEW_CHOICES,
    SORTS,
    parse,
)
from webapp.worklist.models import SavedFilter


class WantedSerializer(serializers.Serializer[Any]):
    """Which cases; what is left out asks for all of them."""

    processing = serializers.ChoiceField(Processing.choices, required=False, allow_blank=True)
    review = serializers.ChoiceField(
        REVIEW_CHOICES,
        required=False,
        allow_blank=True,
        help_text="How far people are with them; without it: what is not finished.",
    )
    priority = serializers.ChoiceField(list(PRIORITIES), required=False, allow_blank=True)
    assignee = serializers.RegexField(
        rf"^({MINE}|{NOBODY}|[1-9][0-9]{{0,17}})\Z",
        required=False,
        allow_blank=True,
        help_text=f"Whose work they are: `{MINE}`, `{NOBODY}`, or the id of a person.",
    )
    flag = serializers.ChoiceField(list(FLAGS.items()), required=False, allow_blank=True)
    older_than = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=LONGEST_HOURS,
        help_text="Hours since they were opened.",
    )
    overdue = serializers.BooleanField(required=False, help_text="Those alone that are overdue.")
    sort = serializers.ChoiceField(
        list(SORTS.items()),
        required=False,
        allow_blank=True,
        help_text="Without it: what is due first; where finished cases are asked for, the newest.",
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """With `wanted`, for the worklist."""
        told = {**given, "overdue": "1" if given.get("overdue") else ""}
        wanted, _ = parse(told)
        return {**given, "wanted": wanted}


class WorklistQuerySerializer(WantedSerializer):
    accession = WrittenField(
        normalise=normal_accession,
        required=False,
        allow_blank=True,
        max_length=64,
        help_text="With which the accession begins, in any case.",
    )
    after = serializers.UUIDField(required=False, help_text="`next` of the page before.")
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=200, default=50)


class PersonSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)
    name = serializers.CharField()


class CaseOfWorklistSerializer(serializers.Serializer[Any]):
    """A case as work. Who its patient is, is asked for by the case."""

    id = serializers.UUIDField()
    accession = serializers.CharField()
    processing = serializers.ChoiceField(Processing.choices)
    review = serializers.ChoiceField(Review.choices)
    priority = serializers.ChoiceField(list(PRIORITIES))
    flags = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="null: one reads the case blinded."
    )
    assignee = PersonSerializer(allow_null=True)
    assigned_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True, help_text="By the lab's turnaround, if it has one.")
    is_overdue = serializers.BooleanField()
    created_at = serializers.DateTimeField()

    def to_representation(self, case: Case) -> dict[str, Any]:
        who = case.assignee
        return {
            **{name: getattr(case, name) for name in ("id", "accession", "processing", "review")},
            "priority": Priority(case.priority).name.lower(),
            "flags": None if case.id in self.context["without_flags"] else list(case.flags),
            "assignee": who and {"id": who.pk, "name": str(who)},
            **{name: getattr(case, name) for name in ("assigned_at", "due_at", "is_overdue", "created_at")},
        }


class WorklistSerializer(serializers.Serializer[Any]):
    next = serializers.UUIDField(allow_null=True, help_text="Send it as `after`; null: there are no more.")
    results = CaseOfWorklistSerializer(many=True)


class CountsSerializer(serializers.Serializer[Any]):
    """How many cases are work; finished ones are not counted."""

    unfinished = serializers.IntegerField()
    review = serializers.DictField(child=serializers.IntegerField(), help_text="By how far people are.")
    processing = serializers.DictField(child=serializers.IntegerField(), help_text="By how far the model is.")
    overdue = serializers.IntegerField()
    mine = serializers.IntegerField()
    nobody = serializers.IntegerField(help_text="Assigned to nobody.")


class TakeSerializer(serializers.Serializer[Any]):
    instead_of = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=LARGEST_ID,
        help_text="Whose it is as far as one has seen; null: nobody's. If it is somebody else's: 409.",
    )


class AssigneeSerializer(TakeSerializer):
    assignee = serializers.IntegerField(
        allow_null=True, min_value=1, max_value=LARGEST_ID, help_text="null: nobody."
    )


class SavedFilterSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    name = WrittenField(max_length=60, help_text="Of one's own choosing; never a patient's.")
    query = WantedSerializer()
    is_default = serializers.BooleanField(
        required=False, help_text="The page of the worklist begins with it."
    )

    def to_representation(self, instance: SavedFilter) -> dict[str, Any]:
        wanted, _ = parse(instance.query)
        shown: dict[str, Any] = dict(wanted.query)
        if "older_than" in shown:
            shown["older_than"] = int(shown["older_than"])
        if "overdue" in shown:
            shown["overdue"] = True
        return {
            "id": instance.pk,
            "name": instance.name,
            "query": shown,
            "is_default": instance.is_default,
        }


class TurnaroundSerializer(serializers.Serializer[Any]):
    """In how many hours results are due, by priority; null: at no time."""

    stat = serializers.IntegerField(min_value=1, max_value=LONGEST_TURNAROUND, allow_null=True)
    urgent = serializers.IntegerField(min_value=1, max_value=LONGEST_TURNAROUND, allow_null=True)
    routine = serializers.IntegerField(min_value=1, max_value=LONGEST_TURNAROUND, allow_null=True)
