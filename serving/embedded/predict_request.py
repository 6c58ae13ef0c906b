"""What a Predict request asks for, checked in tensorflow/serving's order and rejected with its codes."""

import grpc
import numpy as np
import numpy.typing as npt

from serving.contract import IMAGE, MAX_BATCH, SIGNATURE
from serving.embedded.errors import RequestError, invalid
from serving.embedded.model import LoadedModel
from serving.tensors import TensorError, shape_of, to_array, type_name
from serving.wire.framework_pb2 import DT_UINT8, TensorProto
from serving.wire.serving_pb2 import PredictRequest


def check_signature(request: PredictRequest) -> None:
    """Raises RequestError unless the default signature is asked for, by name or by silence."""
    name = request.model_spec.signature_name or SIGNATURE
    if name != SIGNATURE:
        raise RequestError(
            grpc.StatusCode.FAILED_PRECONDITION,
            f'Serving signature key "{name}" not found; this model has "{SIGNATURE}".',
        )


def read_images(request: PredictRequest, model: LoadedModel) -> npt.NDArray[np.uint8]:
    """The request's images: uint8 [N, S, S, 3] as `model` takes them, 1 <= N <= MAX_BATCH. Raises
    RequestError for any other input."""
    if set(request.inputs) != {IMAGE}:
        raise invalid(f"the inputs are {sorted(request.inputs)}; the signature has one input, {IMAGE!r}")
    tensor: TensorProto = request.inputs[IMAGE]
    if tensor.dtype != DT_UINT8:
        raise invalid(f"input {IMAGE!r} must be DT_UINT8, not {type_name(tensor.dtype)}")
    try:
        shape = shape_of(tensor)
        wanted = model.inputs[IMAGE].shape
        if shape[1:] != wanted[1:]:
            raise invalid(f"input {IMAGE!r} must have shape {list(wanted)}, not {list(shape)}")
        if not 1 <= shape[0] <= MAX_BATCH:
            raise invalid(f"a batch of {shape[0]} images is not between 1 and {MAX_BATCH}; send it in parts")
        return to_array(tensor).astype(np.uint8, copy=False)
    except TensorError as error:
        raise invalid(f"tensor parsing error: {IMAGE}: {error}") from error


def select_outputs(request: PredictRequest, model: LoadedModel) -> list[str]:
    """Names of the outputs to send: those of the output filter, or all. Raises RequestError for an unknown
    one."""
    names = list(request.output_filter) or sorted(model.outputs)
    for name in names:
        if name not in model.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {name}; it has {sorted(model.outputs)}"
            )
    if len(set(names)) < len(names):
        raise invalid(f"duplicate output tensor alias in {names}")
    return names
