from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from webapp.cases.models import Image
from webapp.hematology.classes import BY_CODE, UNIDENTIFIED
from webapp.inference.models import Chunk, Doubt, Prediction
from webapp.inference.selectors import class_name


class ImageQuerySerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(Image.Status.choices, required=False)
    cell_class = serializers.ChoiceField([*BY_CODE, UNIDENTIFIED], required=False)


class ReasonSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


def reason_of(image: Image) -> dict[str, str] | None:
    """Why an image was refused or failed; None where it was not."""
    if image.status not in (Image.Status.REFUSED, Image.Status.FAILED):
        return None
    return {"code": image.refusal or "failed", "message": image.detail}


class ImageSerializer(serializers.ModelSerializer[Image]):
    reason = serializers.SerializerMethodField(help_text="Why it was refused or failed.")
    cell_class = serializers.SerializerMethodField(help_text="The suggestion; `unidentified` where unsure.")
    most_probable = serializers.SerializerMethodField()
    confidence = serializers.SerializerMethodField()
    flagged = serializers.SerializerMethodField(help_text="Whether a person must look: it is unidentified.")
    flagged_because = serializers.SerializerMethodField(help_text="Every reason for which it is flagged.")
    distance = serializers.SerializerMethodField(
        help_text="From the cells the model was trained on; above 1 it is unlike them."
    )
    model = serializers.SerializerMethodField(help_text="The model version that answered.")

    class Meta:
        model = Image
        fields: tuple[str, ...] = (
            "id",
            "name",
            "status",
            "bytes",
            "width",
            "height",
            "received_at",
            "finished_at",
            "reason",
            "cell_class",
            "most_probable",
            "confidence",
            "flagged",
            "flagged_because",
            "distance",
            "model",
        )

    @staticmethod
    def _prediction(image: Image) -> Prediction | None:
        current: list[Prediction] = image.current  # type: ignore[attr-defined]
        return current[0] if current else None

    @extend_schema_field(ReasonSerializer(allow_null=True))
    def get_reason(self, image: Image) -> dict[str, str] | None:
        return reason_of(image)

    @extend_schema_field(serializers.ChoiceField([*BY_CODE, UNIDENTIFIED], allow_null=True))
    def get_cell_class(self, image: Image) -> str | None:
        prediction = self._prediction(image)
        return prediction.shown_class if prediction else None

    def get_most_probable(self, image: Image) -> str | None:
        prediction = self._prediction(image)
        return prediction.cell_class if prediction else None

    def get_confidence(self, image: Image) -> float | None:
        prediction = self._prediction(image)
        return prediction.confidence if prediction else None

    def get_flagged(self, image: Image) -> bool | None:
        prediction = self._prediction(image)
        return prediction.flagged if prediction else None

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(Doubt.choices)))
    def get_flagged_because(self, image: Image) -> list[str]:
        prediction = self._prediction(image)
        return [doubt.value for doubt in prediction.doubts] if prediction else []

    def get_distance(self, image: Image) -> float | None:
        prediction = self._prediction(image)
        return prediction.distance if prediction else None

    def get_model(self, image: Image) -> str | None:
        prediction = self._prediction(image)
        return str(prediction.model_version) if prediction else None


class ImageDetailSerializer(ImageSerializer):
    probabilities = serializers.SerializerMethodField(help_text="By class, most probable first.")
    picture = serializers.SerializerMethodField()
    evidence = serializers.SerializerMethodField(help_text="PNG to lay over the picture's centre square.")

    class Meta(ImageSerializer.Meta):
        fields = (*ImageSerializer.Meta.fields, "probabilities", "picture", "evidence")

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_probabilities(self, image: Image) -> list[dict[str, Any]]:
        prediction = self._prediction(image)
        if prediction is None:
            return []
        return [
            {"code": code, "name": class_name(code), "probability": probability}
            for code, probability in prediction.ranked
        ]

    def get_picture(self, image: Image) -> str | None:
        if image.status != Image.Status.CLASSIFIED:
            return None
        return reverse("api:picture", [image.id], request=self.context["request"])

    def get_evidence(self, image: Image) -> str | None:
        if self._prediction(image) is None:
            return None
        return reverse("api:evidence", [image.id], request=self.context["request"])


class DeadLetterSerializer(serializers.ModelSerializer[Chunk]):
    case = serializers.UUIDField(source="case_id")
    accession = serializers.CharField(source="case.accession")
    images = serializers.IntegerField(source="n")

    class Meta:
        model = Chunk
        fields = ("id", "case", "accession", "images", "attempts", "error", "finished_at")


class RequeuedSerializer(serializers.Serializer[Any]):
    images = serializers.IntegerField()
