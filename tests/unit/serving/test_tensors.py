"""NumPy arrays as protocol tensors."""

import numpy as np
import pytest

from serving.tensors import TensorError, shape_of, to_array
from serving.wire.framework_pb2 import DT_DOUBLE, DT_FLOAT, DT_UINT8, TensorProto, TensorShapeProto
from tests.support.tensors import to_proto


def proto(dtype: int, shape: tuple[int, ...], **values: object) -> TensorProto:
    dims = [TensorShapeProto.Dim(size=size) for size in shape]
    return TensorProto(dtype=dtype, tensor_shape=TensorShapeProto(dim=dims), **values)  # type: ignore[arg-type]  # of whatever kind


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        np.arange(256, dtype=np.uint8).reshape(4, 64),
        np.zeros((0, 5), np.float32),
        np.asfortranarray(np.arange(6, dtype=np.uint8).reshape(2, 3)),
    ],
)
def test_an_array_survives_the_wire(array: np.ndarray) -> None:
    back = to_array(TensorProto.FromString(to_proto(array).SerializeToString()))

    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        (proto(DT_FLOAT, (2, 2), float_val=[1, 2, 3, 4]), [[1, 2], [3, 4]]),
        (proto(DT_FLOAT, (4,), float_val=[1, 2]), [1, 2, 2, 2]),
        (proto(DT_UINT8, (3,), int_val=[9]), [9, 9, 9]),
        (proto(DT_UINT8, (2,)), [0, 0]),
        (proto(DT_FLOAT, (0, 3)), []),
    ],
)
def test_values_written_one_by_one_are_read(tensor: TensorProto, expected: list[float]) -> None:
    array = to_array(tensor)

    assert array.shape == shape_of(tensor)
    assert array.tolist() == expected


@pytest.mark.parametrize(
    ("tensor", "says"),
    [
        (proto(DT_FLOAT, (2,), tensor_content=b"1234567"), "needs 8 bytes, not 7"),
        (proto(DT_FLOAT, (1,), float_val=[1, 2]), "holds 1 values, not 2"),
        (proto(DT_UINT8, (-1, 3)), "no definite shape"),
        (TensorProto(dtype=DT_FLOAT, tensor_shape=TensorShapeProto(unknown_rank=True)), "no definite shape"),
        (proto(DT_DOUBLE, (1,)), "DT_DOUBLE"),
        (proto(99, (1,)), "type 99"),
        (TensorProto(), "DT_INVALID"),
    ],
)
def test_a_tensor_that_contradicts_itself_is_rejected(tensor: TensorProto, says: str) -> None:
    with pytest.raises(TensorError, match=says):
        to_array(tensor)


def test_only_the_types_of_the_signature_are_sent() -> None:
    with pytest.raises(TensorError, match="float64"):
        to_proto(np.zeros(1))  # type: ignore[arg-type]  # which is what is tried
