import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Now, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from webapp.cases.identifiers import normal_accession
from webapp.cases.refusals import Refusal
from webapp.cases.specimens import AnalyserCount, Scanner, ServiceRequest, Slide, Specimen
from webapp.crypto.fields import EncryptedTextField
from webapp.labs.models import Lab
from webapp.language.fields import SentenceField
from webapp.language.sentences import say
from webapp.patients.models import Patient
from webapp.writing.fields import LineField

__all__ = [
    "AnalyserCount",
    "Case",
    "ClinicalNotes",
    "Image",
    "Scanner",
    "ServiceRequest",
    "Slide",
    "Specimen",
]


class Processing(models.TextChoices):
    """How far the machine is with a case, by what became of its images."""

    RECEIVING = "receiving", _("Receiving images")
    CLASSIFYING = "classifying", _("Classifying")
    NEEDS_ATTENTION = "needs_attention", _("Needs attention")
    DONE = "done", _("Classified")


class Review(models.TextChoices):
    """How far people are with a case."""

    OPEN = "open", pgettext_lazy("review of a case", "Open")
    IN_REVIEW = "in_review", _("In review")
    REVIEWED = "reviewed", _("Awaiting authorisation")
    SIGNED = "signed", _("Signed")
    AMENDED = "amended", _("Amended")
    VOID = "void", _("Void")


class Priority(models.IntegerChoices):
    """How soon whoever asked needs the result: the larger, the sooner."""

    ROUTINE = 0, pgettext_lazy("priority of a case", "Routine")
    URGENT = 1, pgettext_lazy("priority of a case", "Urgent")
    STAT = 2, pgettext_lazy("priority of a case", "Stat")


SOON = (Priority.URGENT, Priority.STAT)
"""Whose images never wait behind a night's bulk upload."""

UNDER_WAY = (Review.OPEN, Review.IN_REVIEW)
"""While people may decide on a case."""

FINISHED = (Review.SIGNED, Review.AMENDED, Review.VOID)
"""When nobody has work with a case any more."""

UNFINISHED = ~Q(review__in=[state.value for state in FINISHED])
"""In just these words, by which PostgreSQL knows the indexes of cases that are work."""


class Case(models.Model):  # type: ignore[django-manager-missing] # ScopedManager makes classes at run time
    """One specimen's smear: the images of its cells and what was made of them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    accession = LineField(
        max_length=64, normalise=normal_accession, help_text="The lab's own number for the specimen."
    )
    patient = models.ForeignKey(Patient, null=True, on_delete=models.PROTECT, related_name="cases")
    patient_before = models.ForeignKey(
        Patient,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Whose it was until they were merged into another.",
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    processing = models.CharField(
        max_length=16,
        choices=Processing.choices,
        default=Processing.RECEIVING,
        db_default=Processing.RECEIVING,
        help_text="Written by `webapp.cases.processing.settle` alone.",
    )
    review = models.CharField(
        max_length=16,
        choices=Review.choices,
        default=Review.OPEN,
        db_default=Review.OPEN,
        help_text="Written by the services of `webapp.review` and `webapp.results` alone.",
    )
    priority = models.PositiveSmallIntegerField(
        choices=Priority.choices, default=Priority.ROUTINE, db_default=Priority.ROUTINE
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Whose work it is now; empty: anybody's.",
    )
    assigned_at = models.DateTimeField(null=True, help_text="Since when it is the assignee's.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The clinician of the lab who requested it; empty: nobody who is known here.",
    )
    due_at = models.DateTimeField(
        null=True,
        help_text="By the lab's turnaround; empty: it has none. A trigger of `webapp.worklist` writes it.",
    )
    flags = ArrayField(
        models.CharField(max_length=2),
        default=list,
        db_default=Value([], ArrayField(models.CharField(max_length=2))),
        help_text="Of its reviewed differential, or of the suggested one until something is decided.",
    )

    differing: tuple[str, ...] = ()
    """Once it is made: what was given of the patient and is known otherwise."""

    objects: ClassVar[models.Manager["Case"]] = ScopedManager(lab="lab")

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["lab", "accession"], name="accession_once_per_lab")]
        indexes = [
            models.Index(fields=["lab", "-created_at"]),
            models.Index(fields=["lab", "processing", "-created_at"], name="case_by_processing"),
            models.Index(fields=["lab", "review", "-created_at"], name="case_by_review"),
            models.Index(
                fields=["lab", "due_at", "created_at", "id"], condition=UNFINISHED, name="case_by_due"
            ),
            models.Index(
                fields=["lab", "-priority", "created_at", "id"], condition=UNFINISHED, name="case_by_priority"
            ),
            models.Index(fields=["lab", "created_at", "id"], condition=UNFINISHED, name="case_by_age"),
            models.Index(fields=["assignee", "lab"], condition=UNFINISHED, name="case_by_assignee"),
            models.Index(
                "lab", OpClass(Upper("accession"), "varchar_pattern_ops"), name="case_by_accession_start"
            ),
        ]

    def __str__(self) -> str:
        return str(self.accession)

    @property
    def is_finished(self) -> bool:
        return self.review in FINISHED

    @property
    def is_overdue(self) -> bool:
        return self.due_at is not None and self.due_at < timezone.now() and not self.is_finished


class ClinicalNotes(models.Model):
    """What the ward says of a case's patient; apart from the case, so that nothing reads it by accident."""

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.CASCADE, related_name="notes")
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    text = EncryptedTextField(key="case.patient.key")

    objects: ClassVar[models.Manager["ClinicalNotes"]] = ScopedManager(lab="lab")

    def __str__(self) -> str:
        return f"notes of case {self.case_id}"


class Image(models.Model):  # type: ignore[django-manager-missing] # ScopedManager makes classes at run time
    """A file that someone gave, from the upload link to the model's answer; what it shows are its cells."""

    class Status(models.TextChoices):
        AWAITING_UPLOAD = "awaiting_upload", _("Awaiting upload")
        RECEIVED = "received", _("Received")
        CLASSIFIED = "classified", _("Classified")
        REFUSED = "refused", _("Refused")
        FAILED = "failed", _("Failed")

    UNUSABLE = (Status.REFUSED, Status.FAILED)

    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="images")
    slide = models.ForeignKey(Slide, null=True, on_delete=models.PROTECT, related_name="+")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who gave it; empty: files from before this was kept.",
    )
    replaced_by = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="replaces",
        help_text="What was given in its place: a refused or failed file with one is accounted for.",
    )
    name = models.CharField(max_length=255, help_text="The file's name as shown to people; never a path.")
    key = models.CharField(
        max_length=200, unique=True, help_text="Where the original lies in the object store."
    )
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.AWAITING_UPLOAD)
    refusal = models.CharField(max_length=32, choices=Refusal.choices, blank=True)
    reason = SentenceField(help_text="What exactly was wrong; empty where `refusal` says it all.")
    bytes = models.PositiveBigIntegerField(help_text="Size: declared at first, measured once fetched.")
    object_version = models.CharField(
        max_length=128, blank=True, help_text="Which version of the object was classified."
    )
    media_type = models.CharField(
        max_length=32,
        blank=True,
        db_default="",
        help_text="Of the original, by its content; blank until it is decoded.",
    )
    width = models.PositiveIntegerField(null=True, help_text="Pixels, upright.")
    height = models.PositiveIntegerField(null=True, help_text="Pixels, upright.")
    sha256 = models.BinaryField(
        max_length=32, null=True, help_text="Of the original: claimed at first, measured once fetched."
    )
    display_key = models.CharField(
        max_length=200, blank=True, help_text="A copy browsers can show, where the original is none."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    received_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["Image"]] = ScopedManager(lab="lab")

    class Meta:
        indexes = [
            models.Index(fields=["case", "status", "id"]),
            models.Index(fields=["case", "sha256"], name="image_content"),
            models.Index(
                fields=["created_at"],
                condition=models.Q(status="awaiting_upload"),
                name="image_abandoned_uploads",
            ),
            models.Index(
                fields=["lab", "-id"],
                condition=models.Q(status__in=["refused", "failed"], replaced_by=None)
                & ~models.Q(refusal="duplicate"),
                name="image_outstanding",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "sha256"],
                condition=models.Q(status="classified"),
                name="same_image_once_per_case",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def detail(self) -> str:
        """Why it was refused or failed, in the language of whoever reads it; empty where it was not."""
        if self.reason is None and self.refusal in Refusal.values:
            return str(Refusal(self.refusal).label)
        return say(self.reason)


class SetAside(models.Model):
    """That a person looked at a refused file and needs no other in its place. The database lets nobody change
    or delete one."""

    image = models.OneToOneField(Image, primary_key=True, on_delete=models.PROTECT, related_name="set_aside")
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    reason = EncryptedTextField(key="image.case.patient.key")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["SetAside"]] = ScopedManager(lab="lab")

    def __str__(self) -> str:
        return f"image {self.image_id} set aside"


class TilePack(models.Model):  # type: ignore[django-manager-missing] # ScopedManager makes classes at run time
    """One object in the store: pictures of cells (JPEG) one behind the other. Its bytes never change."""

    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=200, unique=True, help_text="Where it lies in the object store.")
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())

    objects: ClassVar[models.Manager["TilePack"]] = ScopedManager(lab="lab")

    def __str__(self) -> str:
        return self.key


class Cell(models.Model):  # type: ignore[django-manager-missing] # ScopedManager makes classes at run time
    """One cell in a picture: where it lies, and where its own small picture is kept.

    A picture of one cell has one, whose box is the whole picture.
    """

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="cells")
    number = models.PositiveIntegerField(help_text="Its place among the picture's cells, from 0.")
    left = models.PositiveIntegerField(help_text="Of its box, in pixels of the upright picture.")
    top = models.PositiveIntegerField(help_text="Of its box, in pixels of the upright picture.")
    width = models.PositiveIntegerField(help_text="Of its box, in pixels of the upright picture.")
    height = models.PositiveIntegerField(help_text="Of its box, in pixels of the upright picture.")
    pack = models.ForeignKey(TilePack, on_delete=models.PROTECT, related_name="cells")
    tile_offset = models.PositiveIntegerField(help_text="Where in the pack its tile begins, in bytes.")
    tile_length = models.PositiveIntegerField(help_text="Of its tile, in bytes.")

    objects: ClassVar[models.Manager["Cell"]] = ScopedManager(lab="image__lab")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image", "number"], name="cell_once_per_number"),
            # Whether it lies within its picture, another row's, is checked where cells are recorded.
            models.CheckConstraint(
                condition=models.Q(width__gt=0, height__gt=0), name="cell_box_has_an_area"
            ),
            models.CheckConstraint(condition=models.Q(tile_length__gt=0), name="cell_has_a_tile"),
        ]

    def __str__(self) -> str:
        return f"cell {self.number} of image {self.image_id}"
