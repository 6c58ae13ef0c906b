from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from serving.contract import is_unlike, is_unsure
from webapp.cases.models import Case, Cell, Image
from webapp.labs.models import Lab
from webapp.language.fields import SentenceField
from webapp.language.sentences import say
from webapp.outbox.queues import CHUNKS
from webapp.registry.models import ModelVersion


class Chunk(models.Model):
    """Up to 64 images of one case that go through the model together: the unit of work, retry and requeue."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        DEAD = "dead", _("Gave up")

    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="chunks")
    queue = models.CharField(max_length=16, choices=[(queue.value, queue.label) for queue in CHUNKS])
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Claims that could have finished it.")
    deferrals = models.PositiveIntegerField(
        default=0, help_text="Times the model server could not be reached."
    )
    reason = SentenceField(help_text="What stopped the last attempt.")
    claimed_by = models.CharField(
        max_length=255, blank=True, help_text="The worker and the task that hold it."
    )
    lease_until = models.DateTimeField(null=True, help_text="When another worker may take it over.")
    live_only = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The case was re-run: no version may answer but the one that the registry has live.",
    )
    images = models.ManyToManyField(Image, through="ChunkImage", related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["Chunk"]] = ScopedManager(lab="lab")

    class Meta:
        indexes = [
            models.Index(fields=["case", "state"]),
            models.Index(
                fields=["lease_until"], condition=Q(state__in=["queued", "running"]), name="chunk_open"
            ),
            models.Index(fields=["lab"], condition=Q(state="dead"), name="chunk_dead"),
        ]

    def __str__(self) -> str:
        return f"chunk {self.pk} of {self.case_id}"

    @property
    def error(self) -> str:
        """What stopped the last attempt, in the language of whoever reads it."""
        return say(self.reason)


OPEN = (Chunk.State.QUEUED, Chunk.State.RUNNING)
"""States of a chunk that is still to be done."""


class ChunkImage(models.Model):
    """That an image goes through the model with this chunk; it is in one at a time."""

    image = models.OneToOneField(Image, primary_key=True, on_delete=models.CASCADE, related_name="in_chunk")
    chunk = models.ForeignKey(Chunk, on_delete=models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager["ChunkImage"]] = ScopedManager(lab="chunk__lab")

    def __str__(self) -> str:
        return f"image {self.image_id} in chunk {self.chunk_id}"


class Doubt(models.TextChoices):
    """Why the model leaves a cell to a person."""

    LOW_CONFIDENCE = "low_confidence", _("The model is not confident enough to suggest a class")
    UNLIKE_TRAINING = "unlike_training", _("Unlike the cells this model was trained on")


class Prediction(models.Model):
    """What one model version said of one cell. `current` marks the one the case counts."""

    cell = models.ForeignKey(Cell, on_delete=models.CASCADE, related_name="predictions")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    cell_class = models.CharField(max_length=32, help_text="The most probable class.")
    confidence = models.FloatField(help_text="Its calibrated probability, 0 to 1.")
    flagged = models.BooleanField(help_text="Unsure: shown as Unidentified until a person decides.")
    current = models.BooleanField(default=True, db_default=True)
    probabilities = ArrayField(models.FloatField(), help_text="In the order of the version's labels.")
    evidence = models.BinaryField(help_text="float16 [h, w, K], row-major: class evidence maps.")
    evidence_grid = models.PositiveSmallIntegerField(help_text="h; w follows from the size.")
    embedding = models.BinaryField(help_text="float16 [D].")
    distance = models.FloatField(
        null=True,
        help_text="From the cells the version was trained on; above 1 it is unlike them. "
        "Empty for versions that did not measure it.",
    )
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())

    # What people see of the cell, where the query annotates it; see `webapp.review.classes`.
    shown_class: str
    decided_class: str | None

    objects: ClassVar[models.Manager["Prediction"]] = ScopedManager(lab="cell__image__lab")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cell", "model_version"], name="one_prediction_per_version"),
            models.UniqueConstraint(
                fields=["cell"], condition=Q(current=True), name="one_current_prediction"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cell_class} {self.confidence:.3f}"

    @property
    def ranked(self) -> list[tuple[str, float]]:
        """Each class of its version with the probability, most probable first."""
        pairs = zip(self.model_version.labels, self.probabilities, strict=True)
        return sorted(pairs, key=lambda pair: -pair[1])

    @property
    def unlike(self) -> bool:
        """Whether it is unlike the cells that the version was trained on, as far as that is known."""
        return self.distance is not None and bool(is_unlike(self.distance))

    @property
    def doubts(self) -> list[Doubt]:
        """Why it is flagged, by the rule of the version that said it; empty where it is not."""
        found = {
            Doubt.LOW_CONFIDENCE: is_unsure(self.confidence, self.model_version.review_threshold),
            Doubt.UNLIKE_TRAINING: self.unlike,
        }
        return [doubt for doubt, applies in found.items() if applies]
