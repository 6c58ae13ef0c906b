"""NumPy arrays to and from the protocol's TensorProto, as whole buffers."""

import math

import numpy as np
import numpy.typing as npt

from serving.wire.framework_pb2 import DT_FLOAT, DT_UINT8, DataType, TensorProto

_TYPES: dict[np.dtype[np.generic], DataType] = {np.dtype("<f4"): DT_FLOAT, np.dtype("u1"): DT_UINT8}
_DTYPES: dict[int, np.dtype[np.generic]] = {number: dtype for dtype, number in _TYPES.items()}


class TensorError(ValueError):
    """A TensorProto does not hold what its type and shape say."""


def fill(tensor: TensorProto, array: npt.NDArray[np.float32] | npt.NDArray[np.uint8]) -> None:
    """Write a float32 or uint8 array into an empty tensor. Raises TensorError for another dtype.

    In place: a tensor made first and put into its message afterwards is copied, 9.6 MB for a batch of images.
    """
    try:
        tensor.dtype = _TYPES[array.dtype]
    except KeyError:
        raise TensorError(f"{array.dtype} arrays are not sent") from None
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    tensor.tensor_content = array.tobytes()


def shape_of(tensor: TensorProto) -> tuple[int, ...]:
    """The declared shape; nothing is allocated. Raises TensorError when it is unknown or negative."""
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise TensorError("the tensor has no definite shape")
    return shape


def to_array(tensor: TensorProto) -> npt.NDArray[np.generic]:
    """Unpack a float32 or uint8 tensor; the array is read-only and may share the tensor's memory.

    tensorflow/serving answers with one field entry per value instead of ``tensor_content`` and, like every
    TensorFlow writer, may leave out the end of a run of equal values. An array as large as the declared shape
    is made then, so check `shape_of` first when the tensor comes from a stranger.

    Raises TensorError for another type, or when values and shape do not agree.
    """
    dtype = _DTYPES.get(tensor.dtype)
    if dtype is None:
        raise TensorError(f"{type_name(tensor.dtype)} tensors are not understood")
    shape = shape_of(tensor)
    size = math.prod(shape)
    content = tensor.tensor_content  # once: every access copies it
    if content:
        wanted = size * dtype.itemsize
        if len(content) != wanted:
            raise TensorError(f"a tensor of shape {list(shape)} needs {wanted} bytes, not {len(content)}")
        return np.frombuffer(content, dtype).reshape(shape)
    field = tensor.float_val if tensor.dtype == DT_FLOAT else tensor.int_val
    values = np.array(field or [0]).astype(dtype)
    if len(field) > size:
        raise TensorError(f"a tensor of shape {list(shape)} holds {size} values, not {len(field)}")
    if len(values) < size:
        values = np.concatenate([values, np.broadcast_to(values[-1], size - len(values))])
    return values[:size].reshape(shape)


def type_name(number: int) -> str:
    """``DT_FLOAT`` for 1; types this protocol subset leaves out by their number."""
    return DataType.Name(number) if number in DataType.values() else f"type {number}"
