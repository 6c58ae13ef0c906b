"""training.fitting.augment: what may vary, and what may not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from tests.training.drawn import NO_AUGMENTATION
from training.config import Augmentation
from training.fitting.augment import augment

SIDE, VIEW, MARGIN = 70, 50, 10  # pixels
STRONG = Augmentation(
    scale=0.3,
    shift=0.1,
    stretch=0.1,
    stain=0.5,
    colour=0.5,
    exposure=0.7,
    shading=0.3,
    fringe=2.0,
    blur=1.0,
    resample=1.0,
    jpeg=0.5,
    noise=10.0,
)


@pytest.fixture(scope="module")
def discs() -> NDArray[np.uint8]:
    """Eight centred discs, which no rotation or flip changes: uint8 [8,70,70,3]."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    disc = np.where((np.hypot(x, y) < 16)[..., None], [120, 60, 150], [235, 220, 205])
    return np.repeat(disc[None].astype(np.uint8), 8, axis=0)


def varied(images: NDArray[np.uint8], strength: Augmentation, number: int = 0) -> NDArray[np.float32]:
    changed: NDArray[np.float32] = augment(tf.constant(images), tf.constant([7, number]), strength).numpy()
    return changed


def test_everything_off_only_turns_and_mirrors_the_view(discs: NDArray[np.uint8]) -> None:
    change = np.abs(varied(discs, NO_AUGMENTATION) - discs[:, MARGIN:-MARGIN, MARGIN:-MARGIN])
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
    assert images.shape == (8, VIEW, VIEW, 3)
    assert images.dtype == np.float32
    assert images.min() >= 0
    assert images.max() <= 255


def inside(images: NDArray[np.float32]) -> NDArray[np.float32]:
    return images[:, 19:31, 19:31]


def colour_of_disc(images: NDArray[np.float32]) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = inside(images).mean(axis=(1, 2))
    return mean


@pytest.mark.parametrize(
    ("part", "value", "measure", "least"),
    [
        ("scale", 0.5, lambda images: (images[..., 0] < 180).mean(axis=(1, 2)), 0.02),
        ("shift", 0.2, lambda images: (images[:, :, : VIEW // 2, 0] < 180).mean(axis=(1, 2)), 0.02),
        ("stain", 0.5, colour_of_disc, 3.0),
        ("colour", 0.5, colour_of_disc, 3.0),
        ("exposure", 0.5, colour_of_disc, 3.0),
        ("shading", 0.5, lambda images: images[:, VIEW // 2, 2, 0] - images[:, VIEW // 2, -3, 0], 3.0),
        ("fringe", 8.0, lambda images: np.abs(images[..., 0] - images[..., 2]).mean(axis=(1, 2)), 1.0),
        ("noise", 20.0, lambda images: inside(images).std(axis=(1, 2)), 1.0),
        ("jpeg", 1.0, lambda images: images[:, 12:15, 20:30].std(axis=(1, 2)), 0.1),
    ],
)
def test_each_part_varies_what_it_names(
    discs: NDArray[np.uint8],
    part: str,
    value: float,
    measure: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    least: float,
) -> None:
    assert np.std(measure(varied(discs, NO_AUGMENTATION)), axis=0).max() < least / 3
    assert np.std(measure(varied(discs, replace(NO_AUGMENTATION, **{part: value}))), axis=0).max() > least


def test_some_pictures_keep_the_colours_they_have(discs: NDArray[np.uint8]) -> None:
    many = np.repeat(discs, 16, axis=0)
    kept = (
        np.abs(colour_of_disc(varied(many, replace(NO_AUGMENTATION, stain=0.5))) - [120, 60, 150]).max(axis=1)
        < 0.5
    )
    assert 0.1 < kept.mean() < 0.35


def test_a_small_share_of_a_small_batch_is_still_recompressed(discs: NDArray[np.uint8]) -> None:
    changed = np.abs(
        varied(discs[:3], replace(NO_AUGMENTATION, jpeg=0.01)) - varied(discs[:3], NO_AUGMENTATION)
    )
    assert sorted(changed.max(axis=(1, 2, 3)) > 2) == [False, False, True]


def edges(images: NDArray[np.uint8], strength: Augmentation) -> NDArray[np.float32]:
    """The steepest step of each of 32 varied pictures."""
    many = np.concatenate([varied(images, strength, number) for number in range(4)])
    steepest: NDArray[np.float32] = np.abs(np.diff(many, axis=2)).max(axis=(1, 2, 3))
    return steepest


def test_resampling_and_blur_soften_edges_and_a_closed_condenser_hardens_them(
    discs: NDArray[np.uint8],
) -> None:
    as_they_are = edges(discs, NO_AUGMENTATION)
    assert edges(discs, replace(NO_AUGMENTATION, resample=1.0)).mean() < as_they_are.mean() - 3
    changed = edges(discs, replace(NO_AUGMENTATION, blur=1.0))
    assert changed.min() < as_they_are.min() - 20
    assert changed.max() > as_they_are.max() + 10
