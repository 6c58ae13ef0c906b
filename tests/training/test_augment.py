"""training.augment: what may vary, and what may not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from training.augment import augment
from training.config import Augmentation

NOTHING = Augmentation(
    scale=0, shift=0, stretch=0, stain=0, colour=0, exposure=0, shading=0, blur=0, resample=0, jpeg=0, noise=0
)
STRONG = Augmentation(
    scale=0.3,
    shift=0.1,
    stretch=0.1,
    stain=0.5,
    colour=0.5,
    exposure=0.7,
    shading=0.3,
    blur=1.0,
    resample=1.0,
    jpeg=0.5,
    noise=10.0,
)


@pytest.fixture(scope="module")
def discs() -> NDArray[np.uint8]:
    """Eight centred discs, which no rotation or flip changes: uint8 [8,64,64,3]."""
    y, x = np.mgrid[:64, :64] - 31.5
    disc = np.where((np.hypot(x, y) < 20)[..., None], [120, 60, 150], [235, 220, 205])
    return np.repeat(disc[None].astype(np.uint8), 8, axis=0)


def varied(images: NDArray[np.uint8], strength: Augmentation, number: int = 0) -> NDArray[np.float32]:
    return augment(tf.constant(images), tf.constant([7, number]), strength).numpy()


def test_everything_off_only_turns_and_mirrors(discs: NDArray[np.uint8]) -> None:
    change = np.abs(varied(discs, NOTHING) - discs)
    # The edge of the disc is resampled; the rest stays as it was.
    assert np.median(change) < 0.01
    assert (change > 2).mean() < 0.15


def test_the_same_seed_repeats_and_another_does_not(discs: NDArray[np.uint8]) -> None:
    first = varied(discs, STRONG)
    assert np.array_equal(first, varied(discs, STRONG))
    assert not np.allclose(first, varied(discs, STRONG, number=1), atol=5)


def test_images_of_a_batch_vary_independently(discs: NDArray[np.uint8]) -> None:
    means = varied(discs, STRONG).mean(axis=(1, 2))
    assert np.unique(means.round(1), axis=0).shape[0] == len(discs)


@pytest.mark.parametrize("number", range(5))
def test_values_stay_in_range(discs: NDArray[np.uint8], number: int) -> None:
    images = varied(discs, STRONG, number)
    assert images.shape == discs.shape
    assert images.dtype == np.float32
    assert images.min() >= 0
    assert images.max() <= 255


def inside(images: NDArray[np.float32]) -> NDArray[np.float32]:
    return images[:, 26:38, 26:38]


def colour_of_disc(images: NDArray[np.float32]) -> NDArray[np.float32]:
    return inside(images).mean(axis=(1, 2))


def sharpness(images: NDArray[np.float32]) -> float:
    return float(np.abs(np.diff(images, axis=2)).max(axis=(1, 2, 3)).mean())


@pytest.mark.parametrize(
    ("part", "value", "measure", "least"),
    [
        ("scale", 0.5, lambda images: (images[..., 0] < 180).mean(axis=(1, 2)), 0.02),
        ("shift", 0.2, lambda images: (images[:, :, :32, 0] < 180).mean(axis=(1, 2)), 0.02),
        ("stain", 0.5, colour_of_disc, 3.0),
        ("colour", 0.5, colour_of_disc, 3.0),
        ("exposure", 0.5, colour_of_disc, 3.0),
        ("shading", 0.5, lambda images: images[:, 32, 2, 0] - images[:, 32, -3, 0], 3.0),
        ("noise", 20.0, lambda images: inside(images).std(axis=(1, 2)), 1.0),
        ("jpeg", 1.0, lambda images: inside(images).std(axis=(1, 2)), 0.1),
    ],
)
def test_each_part_varies_what_it_names(
    discs: NDArray[np.uint8],
    part: str,
    value: float,
    measure: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    least: float,
) -> None:
    assert np.std(measure(varied(discs, NOTHING)), axis=0).max() < least / 3
    assert np.std(measure(varied(discs, replace(NOTHING, **{part: value}))), axis=0).max() > least


def test_a_small_share_of_a_small_batch_is_still_recompressed(discs: NDArray[np.uint8]) -> None:
    changed = np.abs(varied(discs[:3], replace(NOTHING, jpeg=0.01)) - varied(discs[:3], NOTHING))
    assert sorted(changed.max(axis=(1, 2, 3)) > 2) == [False, False, True]


@pytest.mark.parametrize("part", ["blur", "resample"])
def test_blur_and_resampling_soften_edges(discs: NDArray[np.uint8], part: str) -> None:
    softened = np.mean(
        [sharpness(varied(discs, replace(NOTHING, **{part: 1.0}), number)) for number in range(4)]
    )
    assert softened < sharpness(varied(discs, NOTHING)) - 3
