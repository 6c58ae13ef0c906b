"""Version folders: written whole or not at all, and read back for further training."""

import tempfile
from pathlib import Path

import keras

from serving.contract import MODEL_FILE, ModelInfo
from training.errors import TrainingError
from training.export.calibrate import Calibration
from training.export.distance import TrainingCells
from training.export.serving_graphs import serving_function, to_lite, write_saved_model
from training.model import classifier as _registered_layers  # noqa: F401  (custom layers must be known before loading)

TRAINABLE = Path("assets.extra") / "model.keras"
"""What retraining and commissioning start from; servers do not look at it."""

PRECISION = "float16"
"""Of the LiteRT form: see the table of `python -m training formats`."""


def check_target(target: Path) -> None:
    """Check before any work that a version folder could be written at the end.

    Raises:
        TrainingError: `target` is taken or not named by a number.
    """
    if not target.name.isdecimal() or int(target.name) < 1:
        raise TrainingError(f"The version folder must be named by a number, such as {target.parent / '1'}.")
    if target.exists():
        raise TrainingError(f"{target} exists already. Write under a new number, or remove it.")


def write_version(
    target: Path, model: keras.Model, calibration: Calibration, cells: TrainingCells, info: ModelInfo
) -> None:
    """Write a version folder in one rename.

    Raises:
        TrainingError: `target` is taken or ill-named, or the disk is full.
    """
    check_target(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Beside the target, under a name no server takes for a version.
        with tempfile.TemporaryDirectory(prefix=".export-", dir=target.parent) as scratch:
            folder = Path(scratch) / target.name
            serve = serving_function(model, calibration, cells, info.input_size)
            write_saved_model(serve, folder, info.input_size)
            (folder / MODEL_FILE).write_bytes(to_lite(folder, PRECISION))
            (folder / TRAINABLE).parent.mkdir()
            model.save(folder / TRAINABLE)
            info.save(folder)
            ModelInfo.load(folder)
            folder.rename(target)
    except OSError as error:
        raise TrainingError(
            f"Cannot write {target}: {error.strerror or error}. "
            "Nothing was left there; free some space and run again."
        ) from error


def load_trainable(version: Path) -> keras.Model:
    """The Keras model of a version, to go on from.

    Raises:
        TrainingError: the version came without it.
    """
    path = version / TRAINABLE
    if not path.is_file():
        raise TrainingError(
            f"{version} has no {TRAINABLE}, which further training starts from. Export it again."
        )
    return keras.saving.load_model(path, compile=False)
