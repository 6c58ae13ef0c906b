"""training.model.torch_file: tensors are read as they were saved, and nothing in the file is run."""

import pickle
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from training.errors import TrainingError
from training.model.torch_file import read_state_dict

HEADER = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True, "protocol_version": 1001})


class FloatStorage:
    """Stands in for torch.FloatStorage, of which a file names the class only."""


FloatStorage.__module__ = "torch"


@dataclass
class Storage:
    key: str
    values: np.ndarray


@dataclass
class Tensor:
    """What torch.save makes of a tensor: a view of a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        hooks: OrderedDict[str, object] = OrderedDict()
        arguments = (self.storage, self.offset, self.shape, self.strides, False, hooks)
        return sys.modules["torch._utils"]._rebuild_tensor_v2, arguments


class Pickler(pickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, Storage):
            return "storage", FloatStorage, value.key, "cpu", value.values.size, None
        return None


def _rebuild_tensor_v2() -> None:
    """Stands in for torch._utils._rebuild_tensor_v2, of which a file holds the name only."""


@pytest.fixture
def save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a state dictionary as PyTorch before 1.6 did."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    vars(torch)["FloatStorage"] = FloatStorage
    monkeypatch.setattr(_rebuild_tensor_v2, "__module__", "torch._utils")
    vars(utils)["_rebuild_tensor_v2"] = _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    def write(state: Any, storages: Iterable[Storage] = ()) -> Path:
        path = tmp_path / "weights.pth"
        with path.open("wb") as file:
            for part in HEADER:
                Pickler(file, 2).dump(part)
            Pickler(file, 2).dump(state)
            Pickler(file, 2).dump([storage.key for storage in storages])
            for storage in storages:
                file.write(storage.values.size.to_bytes(8, "little") + storage.values.tobytes())
        return path

    return write


STORAGE = Storage("7", np.arange(24, dtype="<f4"))


def test_tensors_are_views_of_their_storage(save: Callable[..., Path]) -> None:
    state = OrderedDict(
        rows=Tensor(STORAGE, 0, (4, 6), (6, 1)),
        turned=Tensor(STORAGE, 0, (6, 4), (1, 6)),
        part=Tensor(STORAGE, 8, (2, 3), (3, 1)),
        single=Tensor(STORAGE, 23, (), ()),
    )
    read = read_state_dict(save(state, [STORAGE]))
    assert list(read) == ["rows", "turned", "part", "single"]
    assert np.array_equal(read["rows"], STORAGE.values.reshape(4, 6))
    assert np.array_equal(read["turned"], STORAGE.values.reshape(4, 6).T)
    assert np.array_equal(read["part"], [[8, 9, 10], [11, 12, 13]])
    assert read["single"] == 23
    assert all(tensor.dtype == np.float32 for tensor in read.values())


class Malicious:
    """Unpickled as usual, it would make a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.mkdir, (str(self.folder),)


def test_a_file_that_would_run_something_is_left_unread(save: Callable[..., Path], tmp_path: Path) -> None:
    path = save({"weight": Malicious(tmp_path / "made")})
    with pytest.raises(TrainingError, match=r"asks for posix\.mkdir, which no weights need"):
        read_state_dict(path)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["builtins.eval", "torch._utils._rebuild_parameter", "collections.Counter"])
def test_any_other_name_is_not_loaded(save: Callable[..., Path], name: str) -> None:
    module, _, function = name.rpartition(".")
    path = save({})
    path.write_bytes(f"c{module}\n{function}\n.".encode())
    with pytest.raises(TrainingError, match=f"asks for {name}"):
        read_state_dict(path)


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(1, (4, 6), (6, 1)), (0, (25,), (1,)), (0, (4, 6), (100, 1)), (-1, (4,), (1,)), (5, (2,), (-1,))],
)
def test_a_tensor_outside_its_storage_is_not_read(
    save: Callable[..., Path], offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    path = save({"weight": Tensor(STORAGE, offset, shape, strides)}, [STORAGE])
    with pytest.raises(TrainingError, match="outside its storage"):
        read_state_dict(path)


def test_a_damaged_or_foreign_file_is_named(save: Callable[..., Path], tmp_path: Path) -> None:
    path = save({"weight": Tensor(STORAGE, 0, (24,), (1,))}, [STORAGE])
    whole = path.read_bytes()
    for length in (0, 10, 60, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(TrainingError, match="not a PyTorch state dictionary"):
            read_state_dict(path)
    path.write_bytes(whole.replace((24).to_bytes(8, "little"), (2**62).to_bytes(8, "little")))
    with pytest.raises(TrainingError, match="not a PyTorch state dictionary"):
        read_state_dict(path)
    path.write_bytes(b"PK\3\4 a newer format")
    with pytest.raises(TrainingError, match="not a PyTorch state dictionary"):
        read_state_dict(path)
    with pytest.raises(TrainingError, match="Cannot read the weights file"):
        read_state_dict(tmp_path / "absent.pth")
