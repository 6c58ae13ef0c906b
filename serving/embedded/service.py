"""The gRPC services: protocol messages in, protocol messages out."""
# ruff: noqa: N802 - the methods have the protocol's names

import functools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import grpc
import structlog

from serving.contract import SIGNATURE
from serving.embedded.compute import ComputePool, QueueFullError
from serving.embedded.errors import RequestError, invalid
from serving.embedded.model import Tensor
from serving.embedded.predict_request import check_signature, read_images, select_outputs
from serving.embedded.repository import ModelRepository, Source, Version
from serving.tensors import fill
from serving.wire.error_codes_pb2 import Code
from serving.wire.framework_pb2 import SignatureDef, TensorInfo, TensorShapeProto
from serving.wire.serving_pb2 import (
    GetModelMetadataRequest,
    GetModelMetadataResponse,
    GetModelStatusRequest,
    GetModelStatusResponse,
    ModelConfig,
    ModelSpec,
    ModelVersionStatus,
    PredictRequest,
    PredictResponse,
    ReloadConfigRequest,
    ReloadConfigResponse,
    SignatureDefMap,
    StatusProto,
)
from serving.wire.serving_pb2_grpc import ModelServiceServicer, PredictionServiceServicer

_SIGNATURE_DEF = "signature_def"
_log = structlog.get_logger("serving.embedded")

_Service = TypeVar("_Service")
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


def _rpc(
    method: Callable[[_Service, _Request], Awaitable[_Response]],
) -> Callable[[_Service, _Request, "grpc.aio.ServicerContext[_Request, _Response]"], Awaitable[_Response]]:
    """Turn a RequestError into the RPC's status, anything unforeseen into INTERNAL and a line in the log."""

    @functools.wraps(method)
    async def answer(
        service: _Service, request: _Request, context: "grpc.aio.ServicerContext[_Request, _Response]"
    ) -> _Response:
        try:
            return await method(service, request)
        except RequestError as error:
            await context.abort(error.code, error.message)
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            _log.exception("request failed", rpc=method.__name__)
            await context.abort(
                grpc.StatusCode.INTERNAL, f"{type(error).__name__}; the server's log says more"
            )

    return answer


class PredictionService(PredictionServiceServicer):
    """tensorflow.serving.PredictionService; what is not here answers UNIMPLEMENTED."""

    def __init__(self, repository: ModelRepository, pool: ComputePool) -> None:
        self._repository = repository
        self._pool = pool

    @_rpc
    async def Predict(self, request: PredictRequest) -> PredictResponse:
        """Classify a batch. A caller who goes away, or whose deadline passes, cancels what is not yet
        computed."""
        model = self._repository.get(*_servable(request.HasField("model_spec"), request.model_spec))
        check_signature(request)
        images = read_images(request, model)
        names = select_outputs(request, model)
        try:
            outputs = await self._pool.run(model, images)
        except QueueFullError as error:
            # The code of tensorflow/serving's batching queue.
            raise RequestError(grpc.StatusCode.UNAVAILABLE, f"the queue is full: {error}") from error
        response = PredictResponse(model_spec=_spec(model.info.name, model.info.version, SIGNATURE))
        for name in names:
            fill(response.outputs[name], outputs[name])
        return response

    @_rpc
    async def GetModelMetadata(self, request: GetModelMetadataRequest) -> GetModelMetadataResponse:
        """Names, types and shapes of the signature, under the metadata field ``signature_def``."""
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != _SIGNATURE_DEF:
                raise invalid(f"Metadata field {field} is not supported")
        model = self._repository.get(*_servable(request.HasField("model_spec"), request.model_spec))
        signature = SignatureDef(
            inputs={name: _tensor_info(tensor) for name, tensor in model.inputs.items()},
            outputs={name: _tensor_info(tensor) for name, tensor in model.outputs.items()},
            method_name="tensorflow/serving/predict",
        )
        response = GetModelMetadataResponse(model_spec=_spec(model.info.name, model.info.version))
        response.metadata[_SIGNATURE_DEF].Pack(SignatureDefMap(signature_def={SIGNATURE: signature}))
        return response


class ModelService(ModelServiceServicer):
    """tensorflow.serving.ModelService."""

    def __init__(self, repository: ModelRepository) -> None:
        self._repository = repository

    @_rpc
    async def GetModelStatus(self, request: GetModelStatusRequest) -> GetModelStatusResponse:
        """State of every version of a model, or of the one asked for; a rejected version says why."""
        name, number, _ = _servable(request.HasField("model_spec"), request.model_spec)
        versions = self._repository.versions(name)
        if not versions:
            raise RequestError(grpc.StatusCode.NOT_FOUND, f"Could not find any versions of model {name}")
        if number is not None:
            if number not in versions:
                raise RequestError(
                    grpc.StatusCode.NOT_FOUND, f"Could not find version {number} of model {name}"
                )
            versions = {number: versions[number]}
        return GetModelStatusResponse(
            model_version_status=[_version_status(number, version) for number, version in versions.items()]
        )

    @_rpc
    async def HandleReloadConfigRequest(self, request: ReloadConfigRequest) -> ReloadConfigResponse:
        """Serve exactly the configured models; when one of them has no version that loads, change nothing."""
        if request.config.WhichOneof("config") != "model_config_list":
            raise invalid("only a model_config_list can be reloaded")
        sources: dict[str, Source] = {}
        for config in request.config.model_config_list.config:
            if not config.name or config.name in sources:
                raise invalid(f"each model needs a name of its own; {config.name!r} is missing or used twice")
            sources[config.name] = _source(config)
        await self._repository.reconfigure(sources)
        return ReloadConfigResponse(status=StatusProto())


def _servable(given: bool, spec: ModelSpec) -> tuple[str, int | None, str | None]:
    """Name, version and label of a request's model."""
    if not given:
        raise invalid("Missing ModelSpec")
    if not spec.name:
        raise invalid("ModelSpec has no name specified.")
    choice = spec.WhichOneof("version_choice")
    return (
        spec.name,
        spec.version.value if choice == "version" else None,
        spec.version_label if choice == "version_label" else None,
    )


def _spec(name: str, version: int, signature: str = "") -> ModelSpec:
    spec = ModelSpec(name=name, signature_name=signature)
    spec.version.value = version
    return spec


def _tensor_info(tensor: Tensor) -> TensorInfo:
    dims = [TensorShapeProto.Dim(size=size) for size in tensor.shape]
    return TensorInfo(name=tensor.name, dtype=tensor.dtype, tensor_shape=TensorShapeProto(dim=dims))


def _version_status(number: int, version: Version) -> ModelVersionStatus:
    status = StatusProto()
    if version.error:
        status = StatusProto(error_code=Code.INVALID_ARGUMENT, error_message=version.error)
    return ModelVersionStatus(version=number, state=version.state, status=status)


def _source(config: ModelConfig) -> Source:
    path = Path(config.base_path)
    if not path.is_absolute():
        raise invalid(f"base_path of model {config.name} must be absolute, not {config.base_path!r}")
    policy = config.model_version_policy
    labels = dict(config.version_labels)
    match policy.WhichOneof("policy_choice"):
        case "all":
            return Source(path, latest=None, labels=labels)
        case "specific":
            return Source(path, latest=None, only=frozenset(policy.specific.versions), labels=labels)
        case _:
            return Source(path, latest=policy.latest.num_versions or 1, labels=labels)
