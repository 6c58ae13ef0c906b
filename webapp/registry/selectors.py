from uuid import UUID

from django.db.models import F, Q, QuerySet

from serving.contract import MODEL_NAME
from webapp.labs.models import Lab
from webapp.registry.folder import ModelRoot
from webapp.registry.models import ModelVersion


def lab_model_name(lab_id: UUID) -> str:
    """The name under which a lab's own model is served."""
    return f"lab-{lab_id}"


def published(name: str) -> QuerySet[ModelVersion]:
    """The versions of a model that may be served, newest first; the first one answers."""
    found = ModelVersion.objects.filter(name=name, published_at__isnull=False, withdrawn_at=None)
    return found.order_by("-version")


def model_name_for(lab_id: UUID) -> str:
    """The model that classifies a lab's images: its own if it has one, else the base model."""
    own = lab_model_name(lab_id)
    return own if published(own).exists() else MODEL_NAME


def answering(lab_id: UUID) -> ModelVersion | None:
    """The version that classifies a lab's images now."""
    return published(model_name_for(lab_id)).select_related("lab").first()


def versions_seen_by(lab: Lab) -> QuerySet[ModelVersion]:
    """Every version of the base model and of the lab's own that was ever published, newest first."""
    found = ModelVersion.objects.filter(Q(lab=None) | Q(lab=lab), published_at__isnull=False)
    return found.select_related("lab").order_by(F("lab").asc(nulls_last=True), "-version")


def newest_number(root: ModelRoot, name: str) -> int:
    """The highest number that a version of the model ever had here; 0 where there was none."""
    registered = ModelVersion.objects.filter(name=name).values_list("version", flat=True)
    return max({*registered, *root.versions(name), *root.withdrawn(name)}, default=0)
