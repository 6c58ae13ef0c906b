from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from webapp.api.fields import WrittenField
from webapp.cases.models import Cell, Image
from webapp.cases.setting_aside import REASON_LENGTH
from webapp.hematology.classes import BY_CODE, UNIDENTIFIED
from webapp.inference.models import Chunk, Doubt, Prediction
from webapp.inference.selectors import class_name
from webapp.review import selectors
from webapp.writing.fields import seen_lines
from webapp.writing.text import lines


class RequeueSerializer(serializers.Serializer[Any]):
    images = serializers.ListField(
        child=serializers.IntegerField(),
        required=False,
        max_length=500,
        help_text="Which failed images are tried again, with those that went with them; not given: all.",
    )


class OutstandingQuerySerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(
        [(status.value, status.label) for status in Image.UNUSABLE], required=False
    )


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


class SaidSerializer(serializers.Serializer[Any]):
    """Of what class a cell is, and what the model says of it now."""

    cell_class = serializers.SerializerMethodField(
        help_text="What was decided; else the suggestion; `unidentified` where the model is unsure."
    )
    decided = serializers.SerializerMethodField(help_text="Whether a person decided it.")
    most_probable = serializers.SerializerMethodField()
    confidence = serializers.SerializerMethodField()
    flagged = serializers.SerializerMethodField(help_text="Whether the model is unsure of it.")
    flagged_because = serializers.SerializerMethodField(help_text="Every reason for which it is flagged.")
    distance = serializers.SerializerMethodField(
        help_text="From the cells the model was trained on; above 1 it is unlike them."
    )
    model = serializers.SerializerMethodField(help_text="The model version that answered.")

    @staticmethod
    def _prediction(of: Any) -> Prediction | None:
        raise NotImplementedError

    @extend_schema_field(serializers.ChoiceField([*BY_CODE, UNIDENTIFIED], allow_null=True))
    def get_cell_class(self, of: Any) -> str | None:
        prediction = self._prediction(of)
        return prediction.shown_class if prediction else None

    def get_decided(self, of: Any) -> bool | None:
        prediction = self._prediction(of)
        return prediction.decided_class is not None if prediction else None

    def get_most_probable(self, of: Any) -> str | None:
        prediction = self._prediction(of)
        return prediction.cell_class if prediction else None

    def get_confidence(self, of: Any) -> float | None:
        prediction = self._prediction(of)
        return prediction.confidence if prediction else None

    def get_flagged(self, of: Any) -> bool | None:
        prediction = self._prediction(of)
        return prediction.flagged if prediction else None

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(Doubt.choices)))
    def get_flagged_because(self, of: Any) -> list[str]:
        prediction = self._prediction(of)
        return [doubt.value for doubt in prediction.doubts] if prediction else []

    def get_distance(self, of: Any) -> float | None:
        prediction = self._prediction(of)
        return prediction.distance if prediction else None

    def get_model(self, of: Any) -> str | None:
        prediction = self._prediction(of)
        return str(prediction.model_version) if prediction else None


SAID = (
    "cell_class",
    "decided",
    "most_probable",
    "confidence",
    "flagged",
    "flagged_because",
    "distance",
    "model",
)


class ImageSerializer(SaidSerializer, serializers.ModelSerializer[Image]):
    """An image, with what is said of its cell where it shows one; of several, the image alone tells."""

    slide = serializers.IntegerField(
        source="slide_id", allow_null=True, read_only=True, help_text="Of which slide it is; null: not said."
    )
    reason = serializers.SerializerMethodField(help_text="Why it was refused or failed.")
    uploaded_by = serializers.CharField(
        source="uploaded_by.name", read_only=True, allow_null=True, default=None, help_text="Who gave it."
    )
    replaced_by = serializers.IntegerField(
        source="replaced_by_id",
        allow_null=True,
        read_only=True,
        help_text="Which image was given in its place, so that it is accounted for.",
    )
    set_aside_by = serializers.SerializerMethodField(
        help_text="Who looked at the refused file and needs no other; null: nobody."
    )
    cell_ids = serializers.SerializerMethodField(help_text="Of the cells that it shows, once classified.")

    class Meta:
        model = Image
        fields: tuple[str, ...] = (
            "id",
            "name",
            "slide",
            "status",
            "bytes",
            "width",
            "height",
            "uploaded_by",
            "received_at",
            "finished_at",
            "reason",
            "replaced_by",
            "set_aside_by",
            "cell_ids",
            *SAID,
        )

    def get_set_aside_by(self, image: Image) -> str | None:
        found = getattr(image, "set_aside", None)
        return str(found.by) if found else None

    def get_cell_ids(self, image: Image) -> list[int]:
        return [cell.pk for cell in image.cells.all()]

    @staticmethod
    def _prediction(of: Image) -> Prediction | None:
        cell = only_cell(of)
        return selectors.current_of(cell) if cell else None

    @extend_schema_field(ReasonSerializer(allow_null=True))
    def get_reason(self, image: Image) -> dict[str, str] | None:
        return reason_of(image)


def only_cell(image: Image) -> Cell | None:
    """The cell of a picture of one."""
    cells = list(image.cells.all())
    return cells[0] if len(cells) == 1 else None


class WholeAnswerSerializer(SaidSerializer):
    probabilities = serializers.SerializerMethodField(help_text="By class, most probable first.")

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_probabilities(self, of: Any) -> list[dict[str, Any]]:
        prediction = self._prediction(of)
        if prediction is None:
            return []
        return [
            {"code": code, "name": class_name(code), "probability": probability}
            for code, probability in prediction.ranked
        ]


class BoxSerializer(serializers.ModelSerializer[Cell]):
    """In pixels of the upright picture."""

    class Meta:
        model = Cell
        fields = ("left", "top", "width", "height")


class CellSerializer(WholeAnswerSerializer, serializers.ModelSerializer[Cell]):
    """A cell in a picture, with the model's whole answer."""

    box = BoxSerializer(source="*")
    evidence = serializers.SerializerMethodField(help_text="PNG to lay over the box's centre square.")

    class Meta:
        model = Cell
        fields = ("id", "number", "box", *SAID, "probabilities", "evidence")

    @staticmethod
    def _prediction(of: Cell) -> Prediction | None:
        return selectors.current_of(of)

    def get_evidence(self, cell: Cell) -> str | None:
        if self._prediction(cell) is None:
            return None
        return reverse("api:cell-evidence", [cell.id], request=self.context["request"])


class ImageDetailSerializer(WholeAnswerSerializer, ImageSerializer):
    cells = CellSerializer(many=True, help_text="What it shows, once it is classified.")
    picture = serializers.SerializerMethodField()
    evidence = serializers.SerializerMethodField(help_text="PNG to lay over the picture's centre square.")

    class Meta(ImageSerializer.Meta):
        fields = (*ImageSerializer.Meta.fields, "cells", "probabilities", "picture", "evidence")

    def get_picture(self, image: Image) -> str | None:
        if image.status != Image.Status.CLASSIFIED:
            return None
        return reverse("api:picture", [image.id], request=self.context["request"])

    def get_evidence(self, image: Image) -> str | None:
        if self._prediction(image) is None:
            return None
        return reverse("api:evidence", [image.id], request=self.context["request"])


class OutstandingSerializer(serializers.ModelSerializer[Image]):
    """A file that was refused or failed, and that nothing was given for."""

    case = serializers.UUIDField(source="case_id")
    accession = serializers.CharField(source="case.accession")
    uploaded_by = serializers.CharField(source="uploaded_by.name", allow_null=True, default=None)
    slide = serializers.IntegerField(source="slide_id", allow_null=True)
    reason = serializers.SerializerMethodField()

    class Meta:
        model = Image
        fields = (
            "id",
            "case",
            "accession",
            "name",
            "slide",
            "status",
            "reason",
            "uploaded_by",
            "created_at",
            "finished_at",
        )

    @extend_schema_field(ReasonSerializer)
    def get_reason(self, image: Image) -> dict[str, str] | None:
        return reason_of(image)


class DeadLetterSerializer(serializers.ModelSerializer[Chunk]):
    case = serializers.UUIDField(source="case_id")
    accession = serializers.CharField(source="case.accession")
    images = serializers.IntegerField(source="n")
    error = serializers.CharField(read_only=True, help_text="What stopped the last attempt.")

    class Meta:
        model = Chunk
        fields = ("id", "case", "accession", "images", "attempts", "error", "finished_at")


class RequeuedSerializer(serializers.Serializer[Any]):
    images = serializers.IntegerField()


class SetAsideSerializer(serializers.Serializer[Any]):
    reason = WrittenField(normalise=lines, check=seen_lines, max_length=REASON_LENGTH)
