from django.db import models


class ModelVersion(models.Model):
    """A published version of a model: its `model.json`, as workers and people need it.

    Shared by all labs, so not scoped to one.
    """

    name = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    labels = models.JSONField(help_text="Class codes in the order of the model's outputs.")
    review_threshold = models.FloatField(help_text="Below this confidence a cell is Unidentified.")
    info = models.JSONField(help_text="model.json, whole.")
    registered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="model_version_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
