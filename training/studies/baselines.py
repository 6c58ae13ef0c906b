"""Simpler models, scored like a version: what is its size and its fine-tuning worth?"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.progress import track
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serving.contract import CELL_LABELS
from training.config import FULL_SIZE, Data, Experiment
from training.data.images import CellImages, load_images, pixels
from training.data.view import view_slice
from training.evaluation.comparison import Baselines, Compared, SetScores
from training.evaluation.evaluate import ImageSet
from training.evaluation.intervals import Bootstrap
from training.evaluation.measures import Floats, f1, macro
from training.evaluation.scores import guesses_among
from training.export.calibrate import softmax
from training.fitting.loop import WEIGHTS_FILE, train
from training.model.classifier import build_classifier
from training.model.outputs import outputs

BASELINES_FILE = "baselines.json"
COLOUR_BITS = 3  # of each of hue, saturation and value: 512 colours
STRENGTHS = (0.001, 0.01, 0.1, 1.0)  # of the logistic regressions, the inverse of regularisation

Predict = Callable[[CellImages, NDArray[np.int64]], Floats]
"""Something about the given rows of images, such as the probabilities of CELL_LABELS: [N,D]."""


def score_baselines(
    data: Path, others: list[Path], small_cnn: Experiment, frozen: Experiment, runs: Path
) -> Path:
    """Fit simpler models to the training images of `data`, and score them on its test images and on `others`.

    Args:
        data: labelled images with splits.
        others: labelled images of other labs.
        small_cnn: a network to train from scratch; goes on where an interrupted run stopped.
        frozen: its backbone and normalisation are used as they come.
        runs: folder of runs and of the cache; the scores are written to its baselines.json.

    Returns:
        The file written.

    Raises:
        TrainingError: as training.data.images and training.fitting.loop.
    """
    images, cache = load_images(data), runs / "cache"
    sets = [ImageSet(images, "test", same_lab=True)]
    sets += [ImageSet(load_images(folder), None, same_lab=False) for folder in others]
    backbone = build_classifier(frozen.backbone, frozen.normalisation, dropout=0)

    def colours(of: CellImages, rows: NDArray[np.int64]) -> Floats:
        return colour_histograms(pixels(of, FULL_SIZE, cache), rows)

    def embeddings(of: CellImages, rows: NDArray[np.int64]) -> Floats:
        return outputs(backbone, pixels(of, FULL_SIZE, cache), rows, f"{frozen.backbone.name}, frozen")[1]

    models = {
        "Majority class": ("the commonest class, whatever the picture", _majority(images)),
        "Colours alone": (
            "logistic regression on a histogram of hue, saturation and value",
            _regression(colours, images),
        ),
        "Small CNN": (
            f"{small_cnn.backbone.name} from scratch, {small_cnn.stages[-1].size} px",
            _network(replace(small_cnn, data=Data(root=data)), runs),
        ),
        "Frozen backbone": (
            f"logistic regression on the features of {frozen.backbone.name} as it came, trained on ImageNet",
            _regression(embeddings, images),
        ),
    }
    baselines = Baselines(
        fingerprints={one.name: one.images.fingerprint for one in sets},
        models=tuple(
            Compared(name, about, {one.name: _score(predict, one) for one in sets})
            for name, (about, predict) in models.items()
        ),
    )
    baselines.save(runs / BASELINES_FILE)
    return runs / BASELINES_FILE


def colour_histograms(decoded: NDArray[np.uint8], rows: NDArray[np.int64]) -> Floats:
    """Roots of the shares of 512 colours in the views of some rows of pictures uint8 [M,S,S,3]: [N,512]."""
    view = view_slice(decoded.shape[1])
    return np.stack([_colour_histogram(decoded[row][view, view]) for row in track(rows, "Colours")])


def _colour_histogram(picture: NDArray[np.uint8]) -> Floats:
    coarse = np.asarray(Image.fromarray(picture).convert("HSV")) >> (8 - COLOUR_BITS)
    hue, saturation, value = coarse.reshape(-1, 3).astype(np.int64).T
    colour = (hue << 2 * COLOUR_BITS) | (saturation << COLOUR_BITS) | value
    return np.sqrt(np.bincount(colour, minlength=1 << 3 * COLOUR_BITS) / len(colour))


def _majority(images: CellImages) -> Predict:
    labels = images.labels[images.rows("train")]
    shares = np.bincount(labels, minlength=len(CELL_LABELS)) / len(labels)
    return lambda of, rows: np.tile(shares, (len(of.labels[rows]), 1))


def _regression(features: Predict, images: CellImages) -> Predict:
    """Multinomial logistic regression, of the strength of regularisation that is best on validation."""
    rows, validation = images.rows("train"), images.rows("val")
    known, unseen = features(images, rows), features(images, validation)
    fitted = [
        make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000, tol=1e-3)).fit(
            known, images.labels[rows]
        )
        for strength in STRENGTHS
    ]
    best = max(fitted, key=lambda regression: regression.score(unseen, images.labels[validation]))

    def predict(of: CellImages, rows: NDArray[np.int64]) -> Floats:
        probabilities = np.zeros((len(rows), len(CELL_LABELS)))
        probabilities[:, best.classes_] = best.predict_proba(features(of, rows))
        return probabilities

    return predict


def _network(experiment: Experiment, runs: Path) -> Predict:
    run = train(experiment, runs)
    model = keras.saving.load_model(run / WEIGHTS_FILE, compile=False)
    size = experiment.stages[-1].size
    return lambda of, rows: softmax(
        outputs(model, pixels(of, size, runs / "cache"), rows, experiment.name)[0]
    )


def _score(predict: Predict, chosen: ImageSet) -> SetScores:
    rows = chosen.rows
    labels, probabilities = chosen.images.labels[rows], predict(chosen.images, rows)
    guesses, everything = probabilities.argmax(axis=1), np.ones(len(rows), bool)
    among_present = guesses_among(np.unique(labels), probabilities)
    bootstrap = Bootstrap(labels, chosen.images.cells[rows])
    return SetScores(
        accuracy=bootstrap.share(guesses == labels, everything),
        accuracy_among_present=bootstrap.share(among_present == labels, everything),
        macro_f1=bootstrap.estimate(lambda weights: macro(f1, guesses, labels, weights)),
    )
