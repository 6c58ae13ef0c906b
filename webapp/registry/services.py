import json
from pathlib import Path

from serving.contract import MODEL_JSON, ModelInfo
from webapp.registry.models import ModelVersion


def register(folder: Path) -> ModelVersion:
    """Record the model version in `folder`, so that its answers can be read. May be run again.

    Raises:
        ModelFolderError: the folder is not a complete model version.
    """
    info = ModelInfo.load(folder)
    version, _ = ModelVersion.objects.update_or_create(
        name=info.name,
        version=info.version,
        defaults={
            "labels": list(info.labels),
            "review_threshold": info.review_threshold,
            "info": json.loads((folder / MODEL_JSON).read_text(encoding="utf-8")),
        },
    )
    return version
