from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from serving.contract import ModelInfo
from webapp.labs.models import Lab


class Status(models.TextChoices):
    PUBLISHING = "publishing", _("Being published")
    PUBLISHED = "published", _("Published")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class ModelVersion(models.Model):
    """A version of a model: its `model.json`, as workers and people need it, and when it was to be had.

    The base model's versions are shared by all labs, so this is not scoped to one. A row stays for as long as
    an answer names it.
    """

    name = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    lab = models.ForeignKey(
        Lab,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Whose own model it is; empty: the base model.",
    )
    labels = models.JSONField(help_text="Class codes in the order of the model's outputs.")
    review_threshold = models.FloatField(help_text="Below this confidence a cell is Unidentified.")
    info = models.JSONField(help_text="model.json, whole.")
    files = models.JSONField(
        null=True, help_text="SHA-256 of each of its files by path; null: registered before they were kept."
    )
    registered_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, help_text="When model servers were given it.")
    published_by = models.CharField(max_length=150, blank=True)
    withdrawn_at = models.DateTimeField(null=True, help_text="When it was taken from them.")
    withdrawn_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="model_version_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def title(self) -> str:
        """The model's name as people read it."""
        return gettext("%(lab)s’s own") % {"lab": self.lab.name} if self.lab else self.name

    @property
    def status(self) -> Status:
        if self.withdrawn_at:
            return Status.WITHDRAWN
        return Status.PUBLISHED if self.published_at else Status.PUBLISHING

    @property
    def contract(self) -> ModelInfo:
        """`info` as the contract reads it.

        Raises:
            ModelFolderError: it was registered under an earlier format.
        """
        return ModelInfo.from_document(self.info)
