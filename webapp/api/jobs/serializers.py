from typing import Any

from rest_framework import serializers

from webapp.jobs.kinds import KINDS
from webapp.jobs.models import Job

CHOICES = [(name, kind.label) for name, kind in KINDS.items()]


class JobSerializer(serializers.ModelSerializer[Job]):
    kind = serializers.ChoiceField(choices=CHOICES)

    error = serializers.CharField(read_only=True, help_text="Why it ended early, for people.")

    class Meta:
        model = Job
        fields = (
            "id",
            "kind",
            "parameters",
            "state",
            "done",
            "total",
            "error",
            "cancel_requested",
            "created_at",
            "finished_at",
            "expires_at",
        )
        read_only_fields = fields


class NewJobSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=CHOICES)
    parameters = serializers.DictField(
        default=dict, help_text="What the kind takes; `audit_csv`: actor, action, subject, since, until."
    )
