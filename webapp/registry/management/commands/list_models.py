import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from serving.contract import MODEL_NAME
from webapp.labs.management.arguments import add_lab, lab_of
from webapp.labs.models import Lab
from webapp.registry.evaluation import evaluations_of, origin_of
from webapp.registry.folder import ModelRoot
from webapp.registry.models import ModelVersion
from webapp.registry.selectors import lab_model_name, newest_number, published


class Command(BaseCommand):
    help = _("Print, as JSON, each model with its versions, newest first, and the number of the next one.")

    def add_arguments(self, parser: CommandParser) -> None:
        add_lab(parser, _("the base model and this lab's own, even if it has none yet: its name or id"))

    def handle(self, *args: Any, lab: str | None, **options: Any) -> None:
        asked = lab_of(lab)
        labs = [asked] if asked else list(Lab.objects.filter(id__in=_owners()).order_by("name"))
        models = [_model(MODEL_NAME, None), *(_model(lab_model_name(lab.id), lab) for lab in labs)]
        self.stdout.write(json.dumps(models, indent=2))


def _owners() -> Any:
    return ModelVersion.objects.exclude(lab=None).values("lab")


def _model(name: str, lab: Lab | None) -> dict[str, Any]:
    root = ModelRoot(settings.MODELS)
    answering = published(name).first()
    versions = ModelVersion.objects.filter(name=name).order_by("-version")
    return {
        "name": name,
        "lab": lab.name if lab else None,
        "answers": answering.version if answering else None,
        "folder": str(root.folder(name, answering.version)) if answering else None,
        "next": newest_number(root, name) + 1,
        "versions": [_version(version) for version in versions],
    }


def _version(version: ModelVersion) -> dict[str, Any]:
    trained_at = origin_of(version).trained_at
    return {
        "version": version.version,
        "status": version.status.value,
        "published_at": version.published_at and version.published_at.isoformat(),
        "published_by": version.published_by,
        "withdrawn_at": version.withdrawn_at and version.withdrawn_at.isoformat(),
        "withdrawn_by": version.withdrawn_by,
        "review_threshold": version.review_threshold,
        "trained_at": trained_at and trained_at.isoformat(),
        "evaluations": [asdict(evaluation) for evaluation in evaluations_of(version)],
    }
