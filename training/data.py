"""Labelled cell images: reading labels, splitting, and a cache of decoded pixels."""

import csv
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from rich.progress import track

from serving.contract import CELL_LABELS, INPUT_SIZE, to_model_input
from training.errors import TrainingError

SPLITS = ("train", "val", "test")
SPLIT_SHARES = (0.70, 0.15, 0.15)
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"})


@dataclass(frozen=True)
class CellImages:
    """Labelled images of one source, in a fixed order.

    Attributes:
        root: folder that `files` are relative to.
        files: N paths.
        labels: int64 [N], indices into CELL_LABELS.
        splits: str [N], each one of SPLITS.
        fingerprint: SHA-256 over file names, labels, splits and image bytes.
    """

    root: Path
    files: tuple[str, ...]
    labels: NDArray[np.int64]
    splits: NDArray[np.str_]
    fingerprint: str

    def rows(self, split: str) -> NDArray[np.int64]:
        """Row numbers of one split.

        Raises:
            TrainingError: the split has no image.
        """
        rows = np.flatnonzero(self.splits == split)
        if rows.size == 0:
            raise TrainingError(f"{self.root} has no image in its {split!r} split.")
        return rows


def load_images(root: Path, *, table: Path | None = None, seed: int = 0) -> CellImages:
    """Read the images of the folder `root` that `table` lists, or the `labels.csv` in it, or a folder per class.

    A table has the columns file (or image; relative to `root`), label and perhaps split. Without a split column the images are split 70/15/15 within each class; identical files stay together.

    Raises:
        TrainingError: no such folder, an unknown class or split, a missing file, an empty class folder, or
            a single class.
    """
    if not root.is_dir():
        raise TrainingError(
            f"There is no data folder {root}. Set data.root (or --data) to a folder of labelled images."
        )
    if table is not None and not table.is_file():
        raise TrainingError(f"There is no table of labels {table}.")
    table = table or root / "labels.csv"
    listed = list(_rows_of_table(table, root) if table.is_file() else _rows_of_folders(root))
    if len(present := {label for _, label, _ in listed}) < 2:
        raise TrainingError(
            f"{root} has images of {len(present)} class(es): {', '.join(present)}. At least two are needed."
        )
    with ThreadPoolExecutor() as pool:
        digests = list(pool.map(lambda row: _digest(root / row[0]), listed))
    labels = np.array([CELL_LABELS.index(label) for _, label, _ in listed], np.int64)
    given = [split for _, _, split in listed]
    splits = np.array(given) if all(given) else stratified_splits(labels, digests, seed=seed)
    summary = hashlib.sha256()
    for (file, label, _), split, digest in sorted(zip(listed, splits, digests, strict=True)):
        summary.update(f"{file}\0{label}\0{split}\0{digest}\n".encode())
    return CellImages(root, tuple(file for file, _, _ in listed), labels, splits, summary.hexdigest())


def stratified_splits(labels: NDArray[np.int64], digests: list[str], *, seed: int) -> NDArray[np.str_]:
    """A split for each image, 70/15/15 within each class, that never parts images with the same digest."""
    splits = np.empty(len(labels), dtype="<U5")
    random = np.random.default_rng(seed)
    key = np.array(digests)
    for label in np.unique(labels):
        groups = random.permutation(np.unique(key[labels == label]))
        ends = np.round(np.cumsum(SPLIT_SHARES) * len(groups)).astype(int)
        for split, members in zip(SPLITS, np.split(groups, ends[:-1]), strict=True):
            splits[np.isin(key, members)] = split
    return splits


def pixels(images: CellImages, size: int, cache: Path) -> NDArray[np.uint8]:
    """Decoded images, uint8 [N,size,size,3], memory-mapped from `cache`, where the first call puts them.

    Full size goes through the contract's preprocessing; smaller sizes are reduced from that.

    Raises:
        TrainingError: an image cannot be read, or the disk is full.
    """
    target = cache / f"{images.root.name}-{images.fingerprint[:16]}-{size}.npy"
    if not target.exists():
        full = None if size == INPUT_SIZE else pixels(images, INPUT_SIZE, cache)
        cache.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(f".{os.getpid()}.partial")
        try:
            _fill(partial, images, size, full)
            partial.rename(target)
        except OSError as error:
            raise TrainingError(
                f"Cannot write the pixel cache {target}: {error.strerror}. Free some space there."
            ) from error
        finally:
            partial.unlink(missing_ok=True)
    decoded: NDArray[np.uint8] = np.load(target, mmap_mode="r")
    return decoded


def _fill(path: Path, images: CellImages, size: int, full: NDArray[np.uint8] | None) -> None:
    def one(row: int) -> NDArray[np.uint8]:
        if full is None:
            return _decode(images.root / images.files[row])
        return np.asarray(Image.fromarray(full[row]).resize((size, size), Image.Resampling.LANCZOS))

    count = len(images.files)
    # A real write rather than a sparse map, so that a full disk is an error and not a crash.
    with path.open("wb") as file, ThreadPoolExecutor() as pool:
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, size, size, 3)}
        np.lib.format.write_array_header_1_0(file, header)
        for decoded in track(pool.map(one, range(count)), f"Reading {images.root.name} at {size} px", count):
            file.write(decoded.tobytes())


def _decode(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return to_model_input(image)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise TrainingError(
            f"Cannot read the image {path} ({error}). Remove or replace it, then run again."
        ) from error


def _rows_of_table(table: Path, root: Path) -> Iterator[tuple[str, str, str]]:
    with table.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        columns = reader.fieldnames or ()
        file_column = "image" if "image" in columns else "file"
        if not {file_column, "label"} <= set(columns):
            raise TrainingError(f"{table} needs the columns file and label; it has {', '.join(columns)}.")
        for row in reader:
            where = f"{table}, line {reader.line_num}"
            split = row.get("split") or ""
            if row["label"] not in CELL_LABELS:
                raise TrainingError(
                    f"{where}: unknown class {row['label']!r}; known are {', '.join(CELL_LABELS)}."
                )
            if split and split not in SPLITS:
                raise TrainingError(f"{where}: unknown split {split!r}; known are {', '.join(SPLITS)}.")
            file = row[file_column]
            if not (root / file).is_file():
                raise TrainingError(f"{where}: there is no file {file!r} in {root}.")
            yield file, row["label"], split


def _rows_of_folders(root: Path) -> Iterator[tuple[str, str, str]]:
    folders = sorted(
        folder for folder in root.iterdir() if folder.is_dir() and not folder.name.startswith(".")
    )
    if not folders:
        raise TrainingError(f"{root} has neither labels.csv nor class folders ({', '.join(CELL_LABELS)}).")
    for folder in folders:
        if folder.name not in CELL_LABELS:
            raise TrainingError(f"{folder} is not a known class; known are {', '.join(CELL_LABELS)}.")
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
        if not files:
            raise TrainingError(f"The class folder {folder} has no image. Fill it or remove it.")
        for path in files:
            yield f"{folder.name}/{path.name}", folder.name, ""


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
