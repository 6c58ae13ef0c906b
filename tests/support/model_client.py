"""A client of the model server that is as patient as workers are (`webapp/config/settings/limits.py`)."""

from serving.channel import ChannelTls
from serving.client import ModelClient
from serving.contract import MODEL_NAME


def model_client(
    target: str,
    *,
    model_name: str = MODEL_NAME,
    deadline_s: float = 20.0,
    attempts: int = 5,
    first_pause_s: float = 0.25,
    tls: ChannelTls | None = None,
) -> ModelClient:
    return ModelClient(
        target,
        model_name=model_name,
        deadline_s=deadline_s,
        attempts=attempts,
        first_pause_s=first_pause_s,
        tls=tls,
    )
