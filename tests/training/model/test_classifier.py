"""training.model.classifier: the evidence maps are the computation, and only what is unfrozen learns."""

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from serving.contract import CELL_LABELS
from training.config import Backbone, Normalisation
from training.model.classifier import build_classifier, unfreeze

NORMALISATION = Normalisation(density=(1.1, 1.7, 0.42), per_channel=1.0)


@pytest.fixture(scope="module", params=[None, NORMALISATION], ids=["as it is", "normalised"])
def classifier(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(1)
    model = build_classifier(Backbone(name="small_cnn"), request.param, dropout=0.2)
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


def test_a_normalised_classifier_sees_no_difference_between_lamps(images) -> None:
    model = build_classifier(Backbone(name="small_cnn"), NORMALISATION, dropout=0)
    bluer = (images + 1) * np.array([0.5, 0.8, 0.9], np.float32) - 1
    assert np.allclose(model(images)["logits"], model(bluer)["logits"], atol=1e-3)


def learning(model: keras.Model) -> set[str]:
    """The layers with variables that learn."""
    return {variable.path.split("/")[-2] for variable in model.trainable_variables}


def test_the_head_alone_learns_or_the_top_of_the_backbone_or_all(classifier) -> None:
    (backbone,) = (layer for layer in classifier.layers if isinstance(layer, keras.Model))
    layers = [layer.name for layer in backbone.layers if layer.weights]
    head = {"evidence", "logits"}
    unfreeze(classifier, 0, batch_norm=True)
    assert learning(classifier) == head
    unfreeze(classifier, 0.5, batch_norm=True)
    assert learning(classifier) == head | set(layers[4:])
    unfreeze(classifier, 1, batch_norm=True)
    assert learning(classifier) == head | set(layers)
    unfreeze(classifier, 1, batch_norm=False)
    assert learning(classifier) == head | {name for name in layers if "norm" not in name}


@pytest.mark.parametrize(
    ("share", "batch_norm", "moved"), [(1, True, 4), (0.5, True, 2), (1, False, 0), (0, True, 0)]
)
def test_only_batch_norms_that_learn_move_their_statistics(
    images, share: float, batch_norm: bool, moved: int
) -> None:
    model = build_classifier(Backbone(name="small_cnn"), None, dropout=0)
    unfreeze(model, share, batch_norm=batch_norm)
    means = [variable for variable in model.variables if variable.path.endswith("moving_mean")]
    before = [variable.numpy() for variable in means]
    model(images, training=True)
    assert sum(not np.array_equal(was, now.numpy()) for was, now in zip(before, means, strict=True)) == moved
