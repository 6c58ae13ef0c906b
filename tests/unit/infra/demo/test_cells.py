"""Drawn cells: the same for the same seed, different otherwise, and roughly what each class looks like."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from infra.demo import cells
from infra.demo.drawing import HEIGHT, WIDTH


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[np.ndarray]]:
    """Six of each class as float arrays [363, 360, 3]."""
    return {
        label: [np.asarray(cells.draw(label, seed), dtype=float) for seed in range(6)]
        for label in cells.DRAWN
    }


def dark_share(picture: np.ndarray) -> float:
    """Share of the field as dark as chromatin."""
    return float((picture[..., 1] < 80).mean())


@pytest.mark.parametrize("label", cells.DRAWN)
def test_the_same_seed_draws_the_same_picture(label: str) -> None:
    first, again, other = (np.asarray(cells.draw(label, seed)) for seed in (7, 7, 8))
    assert first.shape == (HEIGHT, WIDTH, 3)
    assert (first == again).all()
    assert (first != other).mean() > 0.5


def test_every_class_is_drawn_apart(drawn: dict[str, list[np.ndarray]]) -> None:
    means = {
        label: np.mean([picture[120:240, 120:240].mean(axis=(0, 1)) for picture in pictures], axis=0)
        for label, pictures in drawn.items()
    }
    labels = list(means)
    for index, label in enumerate(labels):
        for other in labels[index + 1 :]:
            assert np.abs(means[label] - means[other]).max() > 3, (label, other)


def test_sizes_are_those_of_the_textbook(drawn: dict[str, list[np.ndarray]]) -> None:
    size = {
        label: np.mean([dark_share(picture) for picture in pictures]) for label, pictures in drawn.items()
    }
    assert size["platelet"] < size["erythroblast"] < size["lymphocyte"] < size["immature_granulocyte"]


def test_eosinophils_are_the_brick_red_ones(drawn: dict[str, list[np.ndarray]]) -> None:
    def brick(label: str) -> float:
        pictures = np.stack(drawn[label])
        red, green, blue = pictures[..., 0], pictures[..., 1], pictures[..., 2]
        return float(((red - green > 50) & (red - blue > 20)).mean())

    assert brick("eosinophil") > 10 * max(brick(label) for label in cells.DRAWN if label != "eosinophil")


def test_folders_are_named_after_classes_and_kept(tmp_path: Path) -> None:
    paths = cells.write(tmp_path, per_class=1, seed=3)
    assert [path.parent.name for path in paths] == list(cells.DRAWN)
    with Image.open(paths[0]) as picture:
        assert picture.size == (WIDTH, HEIGHT)
    stamp = paths[0].stat().st_mtime_ns
    assert cells.write(tmp_path, per_class=1, seed=3) == paths
    assert paths[0].stat().st_mtime_ns == stamp


def test_an_unknown_class_is_rejected() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        cells.draw("smudge", 1)
