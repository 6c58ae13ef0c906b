"""The workers' side of the model server: one Predict per chunk, a deadline, a bounded number of retries."""

from serving.client.client import ModelClient, Predictions, VersionState
from serving.client.errors import ModelError, ModelMissing, ModelRejected, ModelTimeout, ModelUnavailable

__all__ = [
    "ModelClient",
    "ModelError",
    "ModelMissing",
    "ModelRejected",
    "ModelTimeout",
    "ModelUnavailable",
    "Predictions",
    "VersionState",
]
