"""Protocol tensors for requests and answers made by hand."""

import numpy as np
import numpy.typing as npt

from serving.tensors import fill
from serving.wire.framework_pb2 import TensorProto


def to_proto(array: npt.NDArray[np.float32] | npt.NDArray[np.uint8]) -> TensorProto:
    tensor = TensorProto()
    fill(tensor, array)
    return tensor
