"""The serving function of a calibrated classifier, in both forms of the contract."""

import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from serving.contract import (
    DISTANCE,
    EMBEDDING,
    EVIDENCE,
    IMAGE,
    PROBABILITIES,
    SIGNATURE,
    ModelInfo,
)
from training.data.view import SQUARES, VIEW, view_slice
from training.export.calibrate import Calibration
from training.export.distance import TrainingCells
from training.model.classifier import look_both_ways


def serving_function(
    model: keras.Model, calibration: Calibration, cells: TrainingCells, size: int
) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """The signature of the contract: whole pictures uint8 [N,size,size,3] → outputs by name."""
    view = view_slice(size)

    def serve(image: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = look_both_ways(model, tf.cast(image[:, view, view], tf.float32))
        points = tf.linalg.matmul(outputs["embedding"], tf.constant(cells.projection))
        mean = tf.gather(tf.constant(cells.means), tf.argmax(outputs["logits"], axis=1))
        return {
            PROBABILITIES: tf.nn.softmax(outputs["logits"] / calibration.temperature),
            EVIDENCE: over_picture(outputs["evidence"]),
            EMBEDDING: outputs["embedding"],
            DISTANCE: tf.norm(points - mean, axis=1) / calibration.distance_limit,
        }

    return serve


def over_picture(evidence: tf.Tensor) -> tf.Tensor:
    """Evidence over the picture from that over the view: nothing outside it, and the same spatial mean."""
    side = evidence.shape[1]
    margin, rest = divmod(side * (SQUARES - VIEW), 2 * VIEW)
    if rest:
        raise ValueError(f"{side} squares to a side of the view do not fit into those of the picture.")
    around = [[0, 0], [margin, margin], [margin, margin], [0, 0]]
    return tf.pad(evidence * (SQUARES / VIEW) ** 2, around)


def output_shapes(
    serve: Callable[[tf.Tensor], dict[str, tf.Tensor]], size: int
) -> dict[str, tuple[int, ...]]:
    """The shape of each output of `serve` for one picture of `size`."""
    outputs = _traced(serve, size).structured_outputs
    return {name: tuple(output.shape[1:]) for name, output in outputs.items()}


def write_saved_model(serve: Callable[[tf.Tensor], dict[str, tf.Tensor]], folder: Path, size: int) -> None:
    """Write the frozen SavedModel for pictures of `size`: of constants, so that its graph can be optimised as
    a whole."""
    concrete = _traced(serve, size)
    frozen = convert_variables_to_constants_v2(concrete)
    names = sorted(concrete.structured_outputs)  # the order in which tf.function flattens a dict

    def serve_frozen(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(zip(names, frozen(image), strict=True))

    module = tf.Module()
    module.serve = tf.function(serve_frozen, input_signature=[_picture(size)])
    # Nobody learns from it, and a gradient of its own, such as swish has, cannot be frozen.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(folder), signatures={SIGNATURE: module.serve}, options=options)
    if not any((folder / "assets").iterdir()):
        shutil.rmtree(folder / "assets")


def _traced(serve: Callable[[tf.Tensor], dict[str, tf.Tensor]], size: int) -> Any:
    return tf.function(serve, input_signature=[_picture(size)]).get_concrete_function()


def _picture(size: int) -> tf.TensorSpec:
    return tf.TensorSpec((None, size, size, 3), tf.uint8, name=IMAGE)


PRECISIONS = ("float32", "float16", "int8 weights", "int8 network", "int8")

_FLOAT_OPS = ["SPLIT", "STRIDED_SLICE", "TOPK_V2"]
"""Of normalisation and head; these have tensors whose names do not tell that."""


def to_lite(saved_model: Path, precision: str, examples: Sequence[NDArray[np.uint8]] = ()) -> bytes:
    """The LiteRT form of a SavedModel.

    Args:
        saved_model: the version folder.
        precision: one of PRECISIONS: of the weights; with "int8 network" of the arithmetic of the backbone
            too, between a normalisation and a head in float; with "int8" of all arithmetic.
        examples: pictures uint8 [S,S,3], from which int8 arithmetic takes its ranges.
    """

    def ranges() -> Iterator[tuple[str, dict[str, NDArray[np.uint8]]]]:
        return ((SIGNATURE, {IMAGE: example[None]}) for example in examples)

    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model), signature_keys=[SIGNATURE])
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision in ("int8", "int8 network"):
        converter.representative_dataset = ranges
    with warnings.catch_warnings():  # TensorFlow takes ranges by an interpreter that it warns of
        warnings.filterwarnings("ignore", message=r"\s*Warning: tf.lite.Interpreter is deprecated")
        if precision != "int8 network":
            return bytes(converter.convert())
        inside = f"/{ModelInfo.load(saved_model).backbone}"
        tensors = Interpreter(model_content=to_lite(saved_model, "float32")).get_tensor_details()
        chosen = tf.lite.experimental.QuantizationDebugOptions(
            denylisted_ops=_FLOAT_OPS,
            denylisted_nodes=[tensor["name"] for tensor in tensors if inside not in tensor["name"]],
        )
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=ranges, debug_options=chosen
        )
        return bytes(debugger.get_nondebug_quantized_model())
