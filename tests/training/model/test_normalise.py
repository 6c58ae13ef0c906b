"""training.model.normalise: what lamp, camera and stain do to a slide is undone."""

from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from training.model.normalise import SlideNormalisation

DENSITY = (1.1, 1.7, 0.42)
SIDE = 160
GLASS, CYTOPLASM, NUCLEUS = (slice(0, 20),) * 2, (slice(60, 100),) * 2, (slice(70, 90),) * 2


def cell(*, lamp: tuple[float, ...] = (250, 240, 230), strength: float = 1.0) -> NDArray[np.float32]:
    """A cell on glass, by Beer-Lambert: float32 [1,160,160,3]. Its nucleus is 6 % of the picture."""
    density = np.zeros((SIDE, SIDE, 3))
    density[40:120, 40:120] = (0.25, 0.5, 0.1)
    density[60:100, 60:100] = (0.9, 1.4, 0.35)
    return ((np.array(lamp) + 1) * np.exp(-strength * density) - 1)[None].astype(np.float32)


def normalised(image: NDArray[np.float32], per_channel: float = 1.0) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.asarray(SlideNormalisation(DENSITY, per_channel)(image))[0]
    return found


def density(colour: NDArray[np.float32]) -> NDArray[np.float32]:
    return -np.log((colour + 1) / 256)


@pytest.mark.parametrize("per_channel", [0.0, 0.5, 1.0])
def test_glass_is_white(per_channel: float) -> None:
    assert np.allclose(normalised(cell(), per_channel)[5, 5], 255, atol=0.01)


def test_nuclei_have_the_density_asked_for() -> None:
    assert np.allclose(density(normalised(cell())[80, 80]), DENSITY, atol=0.01)


def test_all_channels_alike_keep_the_colour() -> None:
    nucleus = density(normalised(cell(), per_channel=0)[80, 80])
    assert np.allclose(nucleus / nucleus.sum(), np.array([0.9, 1.4, 0.35]) / 2.65, atol=0.01)
    assert nucleus.sum() == pytest.approx(sum(DENSITY), abs=0.01)


@pytest.mark.parametrize("per_channel", [0.0, 1.0])
@pytest.mark.parametrize(
    "other",
    [
        cell(lamp=(120, 200, 250)),  # a bluer lamp
        cell(lamp=(125, 120, 115)),  # half the light
        cell(strength=0.6),  # a pale stain
        cell(lamp=(180, 200, 160), strength=1.4),
    ],
    ids=["lamp", "brightness", "stain", "all"],
)
def test_lamp_brightness_and_strength_of_the_stain_make_no_difference(
    other: NDArray[np.float32], per_channel: float
) -> None:
    assert np.allclose(normalised(cell(), per_channel), normalised(other, per_channel), atol=0.5)


def test_pictures_of_a_batch_are_normalised_each_by_itself() -> None:
    one, other = cell(), cell(lamp=(120, 200, 250), strength=0.7)
    together = np.asarray(SlideNormalisation(DENSITY, 1.0)(np.concatenate([one, other])))
    assert np.allclose(together[0], normalised(one), atol=1e-3)
    assert np.allclose(together[1], normalised(other), atol=1e-3)


@pytest.mark.parametrize("shade", [0.0, 128.0, 255.0])
def test_an_empty_picture_stays_a_picture(shade: float) -> None:
    empty = normalised(np.full((1, SIDE, SIDE, 3), shade, np.float32))
    assert np.isfinite(empty).all()
    assert empty.min() >= -1
    assert empty.max() <= 255


def test_it_is_saved_with_its_settings(tmp_path: Path) -> None:
    image = keras.Input((SIDE, SIDE, 3))
    keras.Model(image, SlideNormalisation(DENSITY, 0.5)(image)).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert np.allclose(loaded(cell())[0], normalised(cell(), 0.5))
