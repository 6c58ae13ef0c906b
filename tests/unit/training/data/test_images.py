"""training.data.images: reading labelled images, splitting them, and the cache of their pixels."""

import csv
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.contract import CELL_LABELS, to_model_input
from training.data.images import SPLITS, load_images, pixels, stratified_splits
from training.errors import TrainingError


def picture(path: Path, number: int) -> None:
    """Coarse noise, of which no two numbers' are alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(number).integers(0, 256, (10, 12, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((50, 40), Image.Resampling.BICUBIC).save(path)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Ten images in each of two class folders."""
    for label in ("basophil", "monocyte"):
        for index in range(10):
            picture(tmp_path / "cells" / label / f"{index}.png", 20 * index + CELL_LABELS.index(label))
    return tmp_path / "cells"


@pytest.fixture
def table(folders: Path) -> Callable[..., Path]:
    """Writes labels.csv over those images; extra rows are appended."""

    def write(*extra: dict[str, str], split: bool = True) -> Path:
        rows = [
            {"file": f"{label}/{index}.png", "label": label, "split": SPLITS[index % 3]}
            for label in ("basophil", "monocyte")
            for index in range(10)
        ]
        with (folders / "labels.csv").open("w", newline="") as file:
            fields = ["file", "label", "split"] if split else ["file", "label"]
            writer = csv.DictWriter(file, fields, extrasaction="ignore")
            writer.writeheader()
            writer.writerows([*rows, *extra])
        return folders

    return write


def test_class_folders_are_read_and_split_within_each_class(folders: Path) -> None:
    images = load_images(folders)
    assert len(images.files) == 20
    for name in ("basophil", "monocyte"):
        of_class = images.splits[images.labels == CELL_LABELS.index(name)]
        assert [int(np.sum(of_class == split)) for split in SPLITS] == [7, 1, 2]


def test_given_splits_are_kept(table: Callable[..., Path]) -> None:
    images = load_images(table())
    assert images.files[0] == "basophil/0.png"
    assert list(images.splits[:4]) == ["train", "val", "test", "train"]
    assert list(images.rows("val")) == [1, 4, 7, 11, 14, 17]


def test_a_table_without_splits_gets_them(table: Callable[..., Path]) -> None:
    assert set(load_images(table(split=False)).splits) == set(SPLITS)


def test_splits_are_stratified_and_repeatable() -> None:
    labels, cells = np.repeat([0, 3], [200, 40]), np.arange(240)
    splits = stratified_splits(labels, cells, seed=1)
    assert [int(np.sum(splits[labels == 0] == split)) for split in SPLITS] == [140, 30, 30]
    assert [int(np.sum(splits[labels == 3] == split)) for split in SPLITS] == [28, 6, 6]
    assert np.array_equal(splits, stratified_splits(labels, cells, seed=1))
    assert not np.array_equal(splits, stratified_splits(labels, cells, seed=2))


def test_splits_never_part_pictures_of_a_cell() -> None:
    splits = stratified_splits(np.zeros(200, np.int64), np.arange(200) % 50, seed=0)
    for copy in range(50):
        assert len(set(splits[copy::50])) == 1
    assert [int(np.sum(splits == split)) for split in SPLITS] == [4 * 35, 4 * 7, 4 * 8]


def test_a_picture_encoded_again_stays_with_the_first(folders: Path) -> None:
    for index in range(10):
        with Image.open(folders / "monocyte" / f"{index}.png") as image:
            image.save(folders / "monocyte" / f"{index}-again.jpg")
    images = load_images(folders)
    cells = dict(zip(images.files, images.cells, strict=True))
    splits = dict(zip(images.files, images.splits, strict=True))
    assert len(set(images.cells)) == 20
    for index in range(10):
        first, again = f"monocyte/{index}.png", f"monocyte/{index}-again.jpg"
        assert (cells[first], splits[first]) == (cells[again], splits[again])


def test_given_splits_that_part_a_cell_are_kept_and_said(
    table: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    root = table({"file": "copy.png", "label": "basophil", "split": "test"})
    (root / "copy.png").write_bytes((root / "basophil" / "3.png").read_bytes())
    images = load_images(root)
    assert [images.splits[3], images.splits[-1]] == ["train", "test"]
    said = "pictures of the same cell lie in different splits: 1 cell(s), such as basophil/3.png and copy.png"
    assert said in caplog.text


def test_contradicting_labels_and_missing_classes_are_said(
    table: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    root = table({"file": "copy.png", "label": "monocyte", "split": "train"})
    (root / "copy.png").write_bytes((root / "basophil" / "0.png").read_bytes())
    load_images(root)
    assert "labelled differently: 1 cell(s), such as basophil/0.png and copy.png" in caplog.text
    missing = [label for label in CELL_LABELS if label not in ("basophil", "monocyte")]
    assert f"has no image of: {', '.join(missing)}" in caplog.text


def test_the_fingerprint_follows_pixels_labels_and_splits(table: Callable[..., Path]) -> None:
    root = table()
    first = load_images(root).fingerprint
    assert load_images(root).fingerprint == first
    picture(root / "basophil" / "0.png", 201)
    second = load_images(root).fingerprint
    (root / "labels.csv").write_text(
        (root / "labels.csv").read_text().replace("1.png,basophil,val", "1.png,basophil,test")
    )
    assert len({first, second, load_images(root).fingerprint}) == 3


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"file": "basophil/0.png", "label": "smudge", "split": "train"}, r"line 22: unknown class 'smudge'"),
        ({"file": "basophil/0.png", "label": "basophil", "split": "dev"}, r"line 22: unknown split 'dev'"),
        (
            {"file": "basophil/77.png", "label": "basophil", "split": "val"},
            r"line 22: there is no file 'basophil/77.png'",
        ),
        ({"file": "x.png", "label": "basophil", "split": ""}, "line 22: a split is given here and not above"),
        (
            {"file": "basophil/3.png", "label": "monocyte", "split": "val"},
            r"line 22: 'basophil/3.png' is listed in line 5 already",
        ),
    ],
)
def test_a_wrong_row_is_named(table: Callable[..., Path], row: dict[str, str], says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        load_images(table(row))


def test_a_table_as_spreadsheets_write_it_is_read(table: Callable[..., Path]) -> None:
    root = table()
    (root / "labels.csv").write_bytes(b"\xef\xbb\xbf" + (root / "labels.csv").read_bytes())
    assert len(load_images(root).files) == 20


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"file;label\n0.png;basophil\n", "needs the columns file and label; it has file;label"),
        (b"", "it has none"),
        (b"file,label\nMonocyt\xe9.png,monocyte\n", "no CSV file in UTF-8"),
        (b"file,label\n", r"images of 0 class\(es\)"),
    ],
)
def test_what_is_no_table_is_invalid(table: Callable[..., Path], content: bytes, says: str) -> None:
    root = table()
    (root / "labels.csv").write_bytes(content)
    with pytest.raises(TrainingError, match=says):
        load_images(root)


def test_a_table_may_lie_elsewhere(table: Callable[..., Path], tmp_path: Path) -> None:
    root = table(split=False)
    elsewhere = (root / "labels.csv").rename(tmp_path / "reviewed.csv")
    elsewhere.write_text(
        elsewhere.read_text().replace("file,", "image,").replace("9.png,basophil", "9.png,monocyte")
    )
    images = load_images(root, table=elsewhere)
    assert CELL_LABELS[images.labels[9]] == "monocyte"
    with pytest.raises(TrainingError, match=r"no table of labels .*absent\.csv"):
        load_images(root, table=tmp_path / "absent.csv")


def test_unusable_folders_are_named(folders: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no data folder"):
        load_images(tmp_path / "absent")
    (tmp_path / "bare").mkdir()
    with pytest.raises(TrainingError, match=r"neither labels\.csv nor class folders"):
        load_images(tmp_path / "bare")
    (folders / "platelet").mkdir()
    with pytest.raises(TrainingError, match=r"platelet has no image"):
        load_images(folders)
    (folders / "platelet").rename(folders / "smudge")
    with pytest.raises(TrainingError, match=r"smudge is not a known class"):
        load_images(folders)


def test_a_single_class_is_too_few(tmp_path: Path) -> None:
    picture(tmp_path / "basophil" / "0.png", 1)
    with pytest.raises(TrainingError, match=r"images of 1 class\(es\): basophil"):
        load_images(tmp_path)


def test_an_empty_split_is_named(table: Callable[..., Path]) -> None:
    root = table()
    (root / "labels.csv").write_text((root / "labels.csv").read_text().replace(",val", ",train"))
    with pytest.raises(TrainingError, match="no image in its 'val' split"):
        load_images(root).rows("val")


def test_pixels_are_those_of_the_contract_and_are_read_once(folders: Path, tmp_path: Path) -> None:
    images, cache = load_images(folders), tmp_path / "cache"
    decoded = pixels(images, 224, cache)
    assert decoded.shape == (20, 224, 224, 3)
    with Image.open(folders / images.files[13]) as image:
        assert np.array_equal(decoded[13], to_model_input(image, 224))
    small = pixels(images, 32, cache)
    assert small.shape == (20, 32, 32, 3)
    assert abs(float(small[13].mean()) - float(decoded[13].mean())) < 1
    (folders / images.files[13]).unlink()
    assert np.array_equal(pixels(images, 224, cache), decoded)
    assert [path.suffix for path in cache.iterdir()] == [".npy", ".npy"]


def test_an_unreadable_image_is_named(folders: Path) -> None:
    whole = (folders / "monocyte" / "4.png").read_bytes()
    (folders / "monocyte" / "4.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TrainingError, match=r"Cannot read the image .*monocyte/4\.png"):
        load_images(folders)


def test_an_image_damaged_meanwhile_is_named_and_leaves_no_cache(folders: Path, tmp_path: Path) -> None:
    images = load_images(folders)
    (folders / "monocyte" / "4.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(TrainingError, match=r"Cannot read the image .*monocyte/4\.png"):
        pixels(images, 224, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


@contextmanager
def little_space(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_and_leaves_no_cache(folders: Path, tmp_path: Path) -> None:
    images = load_images(folders)
    with (
        little_space(2**20),
        pytest.raises(TrainingError, match=r"Cannot write the pixel cache .* Free some space"),
    ):
        pixels(images, 224, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())
    assert pixels(images, 224, tmp_path / "cache").shape == (20, 224, 224, 3)
