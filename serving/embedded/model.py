"""One model version in memory."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from serving.contract import (
    DISTANCE,
    IMAGE,
    MODEL_FILE,
    MODEL_JSON,
    PROBABILITIES,
    SIGNATURE,
    ModelFolderError,
    ModelInfo,
    read_file,
)
from serving.manifest import Files, check_content

Outputs = dict[str, npt.NDArray[np.float32]]


class Tensor(NamedTuple):
    """One input or output of the signature."""

    name: str
    """Of the tensor in the graph."""
    dtype: str
    """As the protocol names it."""
    shape: tuple[int, ...]
    """-1 for the batch."""


class LoadedModel:
    """A version ready to answer: one interpreter for each compute thread, checked and warmed up.

    An interpreter works on one image at a time with one thread. On a CPU that is the fastest way to keep
    every core busy (see README.md), and an answer cannot depend on which images were asked about at the same
    moment.
    """

    def __init__(self, folder: Path, *, threads: int, published: Files | None = None) -> None:
        """Load ``folder`` for compute threads 0 to `threads` - 1.

        Raises ModelFolderError when model.json or the graph is wrong, one contradicts the other, or one is
        not as it was `published` where that is known.
        """
        document = read_file(folder, MODEL_JSON)
        path = folder / MODEL_FILE
        # In memory rather than mapped: cutting or replacing the file must not touch a running version, and
        # what is checked here is what answers.
        self._content = read_file(folder, MODEL_FILE)
        if published is not None:
            check_content(folder / MODEL_JSON, document, published)
            check_content(path, self._content, published)
        self.info = ModelInfo.read(folder, document)
        try:
            interpreters = [Interpreter(model_content=self._content, num_threads=1) for _ in range(threads)]
            self._runners = [interpreter.get_signature_runner(SIGNATURE) for interpreter in interpreters]
            details = {**self._runners[0].get_input_details(), **self._runners[0].get_output_details()}
            self._check_input(details)
            warm, *_ = [
                self.run(thread, np.full(self.info.input_shape, 127, np.uint8)) for thread in range(threads)
            ]
        except (RuntimeError, ValueError) as error:  # what is wrong in the folder is a ValueError too
            raise ModelFolderError(f"{path} cannot be used: {error}") from error
        self._path = path
        self.check(warm)
        self.inputs = {IMAGE: Tensor(details[IMAGE]["name"], "DT_UINT8", (-1, *self.info.input_shape))}
        self.outputs = {
            name: Tensor(details[name]["name"], "DT_FLOAT", (-1, *shape))
            for name, shape in self.info.outputs.items()
        }

    def run(self, thread: int, image: npt.NDArray[np.uint8]) -> Outputs:
        """Every output for one image (uint8 [S, S, 3]), without the batch axis.

        Only compute thread `thread` may call this with its number.
        """
        outputs = self._runners[thread](**{IMAGE: image[np.newaxis]})
        return {name: array[0] for name, array in outputs.items()}

    def check(self, outputs: Outputs) -> None:
        """Raises ModelFolderError unless `outputs` of `run` are what the signature promises."""
        try:
            self._check(outputs)
        except ModelFolderError as error:
            raise ModelFolderError(f"{self._path}: {error}") from None

    def _check_input(self, details: Mapping[str, Any]) -> None:
        # An interpreter would stretch a graph to whatever it is given, and answer something.
        found = tuple(map(int, details[IMAGE]["shape"][1:])) if IMAGE in details else None
        if found is not None and found != self.info.input_shape:
            raise ModelFolderError(
                f"its input is {list(found)}, but {MODEL_JSON} says input_size {self.info.input_size}"
            )

    def _check(self, outputs: Outputs) -> None:
        wanted = self.info.outputs
        if set(outputs) != set(wanted):
            raise ModelFolderError(f"its outputs are {sorted(outputs)}, not {sorted(wanted)}")
        for name, shape in wanted.items():
            output = outputs[name]
            if output.dtype != np.float32 or output.shape != tuple(shape):
                raise ModelFolderError(
                    f"{name} is {output.dtype} {list(output.shape)}, not float32 {list(shape)}, "
                    f"which {MODEL_JSON} says"
                )
            if not np.isfinite(output).all():
                raise ModelFolderError(f"{name} is not finite")
        if not np.isclose(outputs[PROBABILITIES].sum(), 1, atol=1e-3):
            raise ModelFolderError(f"{PROBABILITIES} do not sum to 1")
        if outputs[DISTANCE] < 0:
            raise ModelFolderError(f"{DISTANCE} is negative")
