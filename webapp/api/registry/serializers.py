from rest_framework import serializers

from webapp.registry.models import ModelVersion, Status


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
