"""A client of the tensorflow/serving protocol for one model."""

import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import grpc
import numpy as np
import numpy.typing as npt

from serving.channel import ChannelTls, open_channel
from serving.client.errors import ModelError, ModelMissing, ModelRejected, ModelTimeout, ModelUnavailable
from serving.contract import (
    CELLS,
    IMAGE,
    MAX_BATCH,
    MODEL_NAME,
    OUTPUTS,
    SIGNATURE,
)
from serving.tensors import TensorError, fill, to_array
from serving.wire.serving_pb2 import (
    GetModelStatusRequest,
    ModelSpec,
    ModelVersionStatus,
    PredictRequest,
    PredictResponse,
)
from serving.wire.serving_pb2_grpc import ModelServiceStub, PredictionServiceStub

_RETRIED = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.NOT_FOUND,
    # Of calls that no handler has taken yet when a server begins to stop (grpc/grpc#41785); we cancel none.
    grpc.StatusCode.CANCELLED,
}
_ERRORS: dict[grpc.StatusCode, type[ModelError]] = {
    grpc.StatusCode.UNAVAILABLE: ModelUnavailable,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ModelUnavailable,
    grpc.StatusCode.CANCELLED: ModelUnavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: ModelTimeout,
    grpc.StatusCode.INVALID_ARGUMENT: ModelRejected,
    grpc.StatusCode.NOT_FOUND: ModelMissing,
    grpc.StatusCode.FAILED_PRECONDITION: ModelRejected,
    grpc.StatusCode.UNIMPLEMENTED: ModelRejected,
}


@dataclass(frozen=True, eq=False)
class Predictions:
    """Answers for N images, in their order. K is the number of the version's labels."""

    model_name: str
    version: int
    probabilities: npt.NDArray[np.float32]
    """[N, K]"""
    evidence: npt.NDArray[np.float32]
    """[N, h, w, K]"""
    embedding: npt.NDArray[np.float32]
    """[N, D]"""
    distance: npt.NDArray[np.float32]
    """[N]"""


class VersionState(NamedTuple):
    version: int
    state: str
    """START, LOADING, AVAILABLE, UNLOADING, END or UNKNOWN."""


class ModelClient:
    """Asks one model at one server.

    Cheap to make; the connection is made at first use, anew in a forked child (gRPC connections do not
    survive a fork, so make no call before forking), and anew once a file of `tls` was replaced.

    Args:
        deadline_s: for a call of `predict`, its retries included.
        attempts: how often a call is tried in all.
        first_pause_s: the longest pause before the first retry; it doubles with each further one.
    """

    def __init__(
        self,
        target: str,
        *,
        model_name: str = MODEL_NAME,
        deadline_s: float,
        attempts: int,
        first_pause_s: float,
        tls: ChannelTls | None = None,
    ) -> None:
        self._target = target
        self._model_name = model_name
        self._deadline_s = deadline_s
        self._attempts = attempts
        self._first_pause_s = first_pause_s
        self._tls = tls
        self._channel: grpc.Channel | None = None
        self._channel_of: tuple[int, ...] = ()

    def predict(
        self, images: npt.NDArray[np.uint8], *, metadata: Mapping[str, str] | None = None
    ) -> Predictions:
        """Classify `images`: uint8 [N, S, S, 3] of the model's input size S, 1 <= N <= MAX_BATCH.

        One Predict call. While the server is down, full or without the model, it is retried with a back-off,
        but never beyond the client's deadline. `metadata` goes with the call, by gRPC's rules for its keys:
        of which trace it is, say.

        Raises ValueError for images of another type or shape, ModelUnavailable (ModelMissing is one),
        ModelTimeout or ModelRejected.
        """
        count, *shape = images.shape
        square = len(shape) == 3 and shape[0] == shape[1] and shape[2] == 3
        if images.dtype != np.uint8 or not square or not 1 <= count <= MAX_BATCH:
            raise ValueError(
                f"images must be uint8 [1 to {MAX_BATCH}, S, S, 3], not {images.dtype} {list(images.shape)}"
            )
        request = PredictRequest(model_spec=ModelSpec(name=self._model_name, signature_name=SIGNATURE))
        fill(request.inputs[IMAGE], images)
        return self._read(self._call(request, tuple((metadata or {}).items())), len(images))

    def status(self, *, timeout_s: float = 5.0) -> list[VersionState]:
        """Every version the server knows and its state. Raises as `predict` does, without retries."""
        request = GetModelStatusRequest(model_spec=ModelSpec(name=self._model_name))
        try:
            answer = ModelServiceStub(self._connected()).GetModelStatus(request, timeout=timeout_s)
        except grpc.RpcError as error:
            raise self._error(error) from error
        return [
            VersionState(entry.version, ModelVersionStatus.State.Name(entry.state))
            for entry in answer.model_version_status
        ]

    def ready(self, timeout_s: float) -> bool:
        """Whether the server says, within `timeout_s`, that a version of the model is available."""
        try:
            return any(entry.state == "AVAILABLE" for entry in self.status(timeout_s=timeout_s))
        except ModelError:
            return False

    def close(self) -> None:
        """Close the connection, if there is one; the client can be used again."""
        if self._channel is not None and self._channel_of[0] == os.getpid():
            self._channel.close()
        self._channel = None

    def _connected(self) -> grpc.Channel:
        try:
            wanted = (os.getpid(), *(self._tls.written() if self._tls else ()))
            if self._channel is None or self._channel_of != wanted:
                self.close()
                self._channel, self._channel_of = open_channel(self._target, self._tls), wanted
        except OSError as error:
            raise ModelUnavailable(f"{self._model_name} at {self._target}: {error}") from error
        return self._channel

    def _call(self, request: PredictRequest, metadata: tuple[tuple[str, str], ...]) -> PredictResponse:
        stub = PredictionServiceStub(self._connected())
        deadline = time.monotonic() + self._deadline_s
        for attempt in range(1, self._attempts + 1):
            try:
                response: PredictResponse = stub.Predict(
                    request, timeout=deadline - time.monotonic(), metadata=metadata
                )
            except grpc.RpcError as error:
                pause = random.uniform(0.5, 1) * self._first_pause_s * 2 ** (attempt - 1)  # noqa: S311 - jitter
                out_of_time = time.monotonic() + pause >= deadline
                if error.code() not in _RETRIED or attempt == self._attempts or out_of_time:
                    raise self._error(error) from error
                time.sleep(pause)
            else:
                return response
        raise AssertionError("the last attempt returns or raises")

    def _error(self, error: grpc.RpcError) -> ModelError:
        kind = _ERRORS.get(error.code(), ModelError)
        return kind(f"{self._model_name} at {self._target}: {error.code().name}: {error.details()}")

    def _read(self, response: PredictResponse, count: int) -> Predictions:
        arrays = {}
        for name, axes in OUTPUTS[CELLS].items():
            try:
                array = to_array(response.outputs[name]).astype(np.float32, copy=False)
            except TensorError as error:
                raise ModelRejected(
                    f"{self._target} answered without a readable {name!r}: {error}"
                ) from error
            if array.ndim != 1 + axes or len(array) != count:
                raise ModelRejected(
                    f"{self._target} answered {count} images with {name!r} of shape {list(array.shape)}"
                )
            arrays[name] = array
        return Predictions(
            model_name=response.model_spec.name, version=response.model_spec.version.value, **arrays
        )
