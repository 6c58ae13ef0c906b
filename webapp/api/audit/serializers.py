from typing import Any

from rest_framework import serializers

from webapp.audit.actions import Action
from webapp.audit.models import Entry


class EntrySerializer(serializers.ModelSerializer[Entry]):
    sentence = serializers.CharField(read_only=True, help_text="What happened, for people.")
    hash = serializers.SerializerMethodField(help_text="SHA-256 of all columns and the hash before, in hex.")

    class Meta:
        model = Entry
        fields = (
            "seq",
            "at",
            "sentence",
            "action",
            "actor_id",
            "actor_name",
            "token",
            "address",
            "user_agent",
            "request_id",
            "subject",
            "subject_id",
            "before",
            "after",
            "hash",
        )

    def get_hash(self, entry: Entry) -> str:
        return bytes(entry.hash).hex()


class EntryQuerySerializer(serializers.Serializer[Any]):
    actor = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**63 - 1,
        help_text="A person's id; 0: nobody signed in.",
    )
    action = serializers.ChoiceField(Action.choices, required=False)
    subject = serializers.CharField(required=False, help_text="Exactly this name, or id: `case <uuid>`.")
    since = serializers.DateField(required=False, help_text="From this day on, UTC.")
    until = serializers.DateField(required=False, help_text="Up to and with this day, UTC.")
