"""training.model: the evidence maps are the computation."""

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from serving.contract import CELL_LABELS
from training.config import Backbone
from training.errors import TrainingError
from training.model import build_classifier


@pytest.fixture(scope="module")
def classifier() -> keras.Model:
    keras.utils.set_random_seed(1)
    model = build_classifier(Backbone(name="small_cnn"), dropout=0.2)
    bias = model.get_layer("logits").weights[0]
    bias.assign(np.linspace(-1, 1, len(CELL_LABELS)))
    return model


@pytest.fixture(scope="module")
def images() -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(0, 255, (3, 64, 80, 3)).astype(np.float32)


def test_logits_are_the_spatial_mean_of_the_evidence_plus_the_bias(classifier, images) -> None:
    outputs = classifier(images, training=False)
    bias = classifier.get_layer("logits").weights[0].numpy()
    assert outputs["evidence"].shape == (3, 4, 5, len(CELL_LABELS))
    assert np.allclose(np.mean(outputs["evidence"], axis=(1, 2)) + bias, outputs["logits"], atol=1e-6)


def test_the_embedding_is_the_pooled_features_the_logits_are_linear_in(classifier, images) -> None:
    outputs = classifier(images, training=False)
    weights = classifier.get_layer("evidence").weights[0].numpy()[0, 0]
    bias = classifier.get_layer("logits").weights[0].numpy()
    assert np.allclose(outputs["embedding"] @ weights + bias, outputs["logits"], atol=1e-5)


@pytest.mark.parametrize("frozen", [True, False])
def test_batch_norm_is_frozen_on_request(frozen: bool, images) -> None:
    model = build_classifier(Backbone(name="small_cnn", freeze_batch_norm=frozen), dropout=0)
    before = [weight.numpy() for weight in model.non_trainable_variables if "moving" in weight.path]
    model(images, training=True)
    after = [weight.numpy() for weight in model.non_trainable_variables if "moving" in weight.path]
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=True)) is frozen


@pytest.mark.parametrize(
    ("backbone", "says"),
    [
        (Backbone(name="lenet"), "no backbone 'lenet'; choose one of efficientnet_lite0, small_cnn"),
        (Backbone(name="efficientnet_lite0"), r"needs backbone\.weights"),
        (Backbone(name="efficientnet_lite0", weights="absent.keras"), r"no weights file absent\.keras"),
        (Backbone(name="small_cnn", weights="some.keras"), "from scratch"),
    ],
)
def test_an_impossible_backbone_is_refused(backbone: Backbone, says: str) -> None:
    from pathlib import Path

    given = Backbone(backbone.name, Path(backbone.weights) if backbone.weights else None)
    with pytest.raises(TrainingError, match=says):
        build_classifier(given, dropout=0)
