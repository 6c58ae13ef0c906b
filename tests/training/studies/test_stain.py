"""training.studies.stain: pictures under one light and stain come to look like examples under another."""

import numpy as np
import pytest

from training.studies.stain import METHODS

AZURE, EOSIN = np.array([0.6, 0.7, 0.4]), np.array([0.1, 0.9, 0.3])
WHITE = np.array([250.0, 245.0, 240.0])


def slide(seed: int, *, azure: np.ndarray, eosin: np.ndarray, white: np.ndarray) -> np.ndarray:
    """Squares of glass, of red cells in eosin and of nuclei in azure: uint8 [40,40,3]."""
    random = np.random.default_rng(seed)
    kind = random.choice(3, size=(40, 40), p=(0.5, 0.3, 0.2))
    amount = random.uniform(0.6, 1.0, size=(40, 40))
    density = np.where(kind == 1, amount, 0)[..., None] * eosin * 0.5
    density = density + np.where(kind == 2, amount, 0)[..., None] * azure
    picture: np.ndarray = np.rint(white * 10**-density).astype(np.uint8)
    return picture


@pytest.mark.parametrize("method", METHODS)
def test_another_stain_comes_to_look_like_the_examples(method: str) -> None:
    look = {"azure": AZURE, "eosin": EOSIN, "white": WHITE}
    other = {"azure": AZURE * (0.6, 0.7, 1.2), "eosin": EOSIN * 0.6, "white": np.array([150.0, 120.0, 190.0])}
    restain = METHODS[method](np.stack([slide(seed, **look) for seed in range(8)]))
    meant, given = slide(9, **look).astype(float), slide(9, **other)
    found = restain(given)
    assert found.dtype == np.uint8
    assert np.abs(found - meant).mean() < 0.4 * np.abs(given - meant).mean()


@pytest.mark.parametrize("method", METHODS)
def test_empty_glass_stays_empty(method: str) -> None:
    examples = np.stack([slide(seed, azure=AZURE, eosin=EOSIN, white=WHITE) for seed in range(4)])
    glass = np.full((40, 40, 3), 200, np.uint8)
    assert METHODS[method](examples)(glass).std() < 40
