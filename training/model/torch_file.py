"""Reading the tensors of a PyTorch state dictionary without PyTorch, and without running what the file says.

A pickle may name any function to be called. The unpickler here knows the four names that a state dictionary
needs and loads no other. The format is that of PyTorch before 1.6 (torch/serialization.py,
`_legacy_save`): five pickles, then the storages one after another.
"""

import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
# What pickle's documentation says a damaged file may raise, and what a count beyond all bounds does.
_DAMAGE = (
    pickle.UnpicklingError, AttributeError, EOFError, IndexError, KeyError, TypeError, ValueError,
    MemoryError, OverflowError,
)  # fmt: skip
_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class _Tensor:
    """A view of a storage, as `torch.Tensor.set_` describes it: all in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_state_dict(path: Path) -> dict[str, NDArray[Any]]:
    """The tensors of `path` by name, as saved by `torch.save(model.state_dict(), path)`.

    Raises:
        TrainingError: not such a file, damaged, or it asks for anything but float and integer tensors.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except OSError as error:
        raise TrainingError(f"Cannot read the weights file {path}: {error.strerror}.") from error
    except _DAMAGE as error:
        raise TrainingError(
            f"{path} is not a PyTorch state dictionary that can be used ({error})."
        ) from error


def _read(file: BinaryIO) -> dict[str, NDArray[Any]]:
    if _Unpickler(file).load() != _MAGIC or _Unpickler(file).load() != _PROTOCOL:
        raise ValueError("it does not begin as one")
    if not _Unpickler(file).load()["little_endian"]:
        raise ValueError("its numbers are big-endian")
    tensors = _Unpickler(file).load()
    keys = _Unpickler(file).load()
    dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
    storages = {key: _read_storage(file, dtypes[key]) for key in keys}
    return {name: _view(storages[tensor.storage.key], tensor) for name, tensor in tensors.items()}


def _read_storage(file: BinaryIO, dtype: np.dtype[Any]) -> NDArray[Any]:
    count = int.from_bytes(file.read(8), "little")
    data = file.read(count * dtype.itemsize)
    if len(data) != count * dtype.itemsize:
        raise ValueError("it ends too early")
    return np.frombuffer(data, dtype)


def _view(values: NDArray[Any], tensor: _Tensor) -> NDArray[Any]:
    # as_strided checks nothing, and would read past the end.
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if min((tensor.offset, *tensor.shape, *tensor.strides)) < 0 or last >= len(values):
        raise ValueError("a tensor lies outside its storage")
    strides = [step * values.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(
        values[tensor.offset :], tensor.shape, strides, writeable=False
    ).copy()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor_v2":
                return _rebuild_tensor
            case "torch", ("FloatStorage" | "LongStorage"):
                return _DTYPES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no weights need")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _device, _count, view = pid
        if kind != "storage" or not isinstance(dtype, np.dtype) or view is not None:
            raise pickle.UnpicklingError("it refers to something that is no storage")
        return _Storage(key, dtype)


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_autograd: object
) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)
