"""Labelled cell images: reading labels, splitting, and a cache of decoded pixels."""

import csv
import hashlib
import io
import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.progress import track

from serving.contract import CELL_LABELS, SUFFIXES, to_model_input
from training.config import FULL_SIZE
from training.data import duplicates
from training.errors import TrainingError

log = logging.getLogger(__name__)

SPLITS = ("train", "val", "test")
SPLIT_SHARES = (0.70, 0.15, 0.15)


@dataclass(frozen=True)
class CellImages:
    """Labelled images of one source, in a fixed order.

    Attributes:
        root: folder that `files` are relative to.
        files: N paths.
        labels: int64 [N], indices into CELL_LABELS.
        splits: str [N], each one of SPLITS.
        fingerprint: SHA-256 over file names, labels, splits and image bytes, as they were read.
        cells: int64 [N], the same number for pictures of the same cell (training.data.duplicates).
    """

    root: Path
    files: tuple[str, ...]
    labels: NDArray[np.int64]
    splits: NDArray[np.str_]
    fingerprint: str
    cells: NDArray[np.int64]

    def rows(self, split: str) -> NDArray[np.int64]:
        """Row numbers of one split.

        Raises:
            TrainingError: the split has no image.
        """
        rows = np.flatnonzero(self.splits == split)
        if rows.size == 0:
            raise TrainingError(f"{self.root} has no image in its {split!r} split.")
        return rows


class Pictures(Protocol):
    """Decoded pictures uint8 [N,S,S,3], of which rows are taken; an array in memory or on disk is one."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, rows: NDArray[np.int64], /) -> NDArray[np.uint8]: ...


def load_images(
    root: Path, *, table: Path | None = None, seed: int = 0, least_classes: int = 2
) -> CellImages:
    """Read the images of the folder `root` that `table` lists, or its `labels.csv`, or a folder per class.

    A table has the columns file (or image; relative to `root`), label and perhaps split, which is kept.
    Without splits images are split 70/15/15 within each class, and pictures of the same cell stay together.
    Classes without an image, and pictures of the same cell with different labels or splits, are logged.

    Raises:
        TrainingError: no such folder, an unknown class or split, a missing or unreadable image, an empty
            class folder, or less than `least_classes` classes.
    """
    if not root.is_dir():
        raise TrainingError(
            f"There is no data folder {root}. Set data.root (or --data) to a folder of labelled images."
        )
    if table is not None and not table.is_file():
        raise TrainingError(f"There is no table of labels {table}.")
    table = table or root / "labels.csv"
    listed = list(_rows_of_table(table, root) if table.is_file() else _rows_of_folders(root))
    if len(present := {label for _, label, _ in listed}) < least_classes:
        raise TrainingError(
            f"{root} has images of {len(present)} class(es): {', '.join(present)}. "
            f"At least {least_classes} needed."
        )
    if missing := [label for label in CELL_LABELS if label not in present]:
        log.warning("%s has no image of: %s. A model cannot learn them from it.", root, ", ".join(missing))
    with ThreadPoolExecutor() as pool:
        looks = list(pool.map(lambda row: _look(root / row[0]), listed))
    digests = [digest for digest, _ in looks]
    cells = duplicates.groups(digests, [detail for _, detail in looks])
    labels = np.array([CELL_LABELS.index(label) for _, label, _ in listed], np.int64)
    given = [split for _, _, split in listed]
    splits = np.array(given) if any(given) else stratified_splits(labels, cells, seed=seed)
    files = tuple(file for file, _, _ in listed)
    _warn_of_parted(root, files, cells, labels, "are labelled differently")
    _warn_of_parted(root, files, cells, splits, "lie in different splits")
    summary = hashlib.sha256()
    for (file, label, _), split, digest in sorted(zip(listed, splits, digests, strict=True)):
        summary.update(f"{file}\0{label}\0{split}\0{digest}\n".encode())
    return CellImages(root, files, labels, splits, summary.hexdigest(), cells)


def stratified_splits(labels: NDArray[np.int64], cells: NDArray[np.int64], *, seed: int) -> NDArray[np.str_]:
    """A split for each image, 70/15/15 of the cells of each class, that never parts pictures of one cell."""
    splits = np.empty(len(labels), dtype="<U5")
    random = np.random.default_rng(seed)
    for label in np.unique(labels):
        groups = random.permutation(np.unique(cells[labels == label]))
        ends = np.round(np.cumsum(SPLIT_SHARES) * len(groups)).astype(int)
        for split, members in zip(SPLITS, np.split(groups, ends[:-1]), strict=True):
            splits[np.isin(cells, members)] = split
    return splits


def _warn_of_parted(
    root: Path, files: tuple[str, ...], cells: NDArray[np.int64], marks: NDArray[np.generic], what: str
) -> None:
    """Log how many cells have pictures with different marks, and one of them."""
    order = np.argsort(cells, kind="stable")
    neighbours = np.flatnonzero((np.diff(cells[order]) == 0) & (marks[order][1:] != marks[order][:-1]))
    if neighbours.size:
        count = len(np.unique(cells[order][neighbours]))
        one, other = (files[order[neighbours[0] + step]] for step in (0, 1))
        log.warning(
            "%s: pictures of the same cell %s: %d cell(s), such as %s and %s.", root, what, count, one, other
        )


def pixels(images: CellImages, size: int, cache: Path, *, full: int = FULL_SIZE) -> NDArray[np.uint8]:
    """Decoded images, uint8 [N,size,size,3], memory-mapped from `cache`, where the first call puts them.

    Pictures of size `full` go through the contract's preprocessing, as those that a version of that input
    size is asked about; others are made from these.

    Raises:
        TrainingError: an image cannot be read, or the disk is full.
    """
    made = str(size) if size == full else f"{size}-of-{full}"
    target = cache / f"{images.root.name}-{images.fingerprint[:16]}-{made}.npy"
    if not target.exists():
        whole = None if size == full else pixels(images, full, cache, full=full)
        cache.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(f".{os.getpid()}.partial")
        try:
            _fill(partial, images, size, whole)
            partial.rename(target)
        except OSError as error:
            raise TrainingError(
                f"Cannot write the pixel cache {target}: {error.strerror}. Free some space there."
            ) from error
        finally:
            partial.unlink(missing_ok=True)
    decoded: NDArray[np.uint8] = np.load(target, mmap_mode="r")
    return decoded


def _fill(path: Path, images: CellImages, size: int, whole: NDArray[np.uint8] | None) -> None:
    def one(row: int) -> NDArray[np.uint8]:
        if whole is None:
            return _decode(images.root / images.files[row], size)
        return np.asarray(Image.fromarray(whole[row]).resize((size, size), Image.Resampling.LANCZOS))

    count = len(images.files)
    # A real write rather than a sparse map, so that a full disk is an error and not a crash.
    with path.open("wb") as file, ThreadPoolExecutor() as pool:
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, size, size, 3)}
        np.lib.format.write_array_header_1_0(file, header)
        for decoded in track(pool.map(one, range(count)), f"Reading {images.root.name} at {size} px", count):
            file.write(decoded.tobytes())


def _look(path: Path) -> tuple[str, NDArray[np.float32] | None]:
    """SHA-256 of the file and detail of its picture."""
    with _named(path):
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            return hashlib.sha256(content).hexdigest(), duplicates.detail(image)


def _decode(path: Path, size: int) -> NDArray[np.uint8]:
    with _named(path), Image.open(path) as image:
        return to_model_input(image, size)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Names the image in whatever Pillow makes of a damaged one."""
    try:
        yield
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise TrainingError(
            f"Cannot read the image {path} ({error}). Remove or replace it, then run again."
        ) from error


def _rows_of_table(table: Path, root: Path) -> Iterator[tuple[str, str, str]]:
    try:
        # utf-8-sig: spreadsheets begin their files with a byte-order mark.
        with table.open(newline="", encoding="utf-8-sig") as file:
            yield from _checked_rows(table, csv.DictReader(file), root)
    except (UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(f"{table} is no CSV file in UTF-8 ({error}). Save it as one.") from error


def _checked_rows(table: Path, reader: "csv.DictReader[str]", root: Path) -> Iterator[tuple[str, str, str]]:
    columns = reader.fieldnames or ()
    file_column = "image" if "image" in columns else "file"
    if not {file_column, "label"} <= set(columns):
        raise TrainingError(
            f"{table} needs the columns file and label; it has {', '.join(columns) or 'none'}."
        )
    line_of: dict[str, int] = {}
    splits_given: set[bool] = set()
    for row in reader:
        where = f"{table}, line {reader.line_num}"
        file, label, split = row[file_column] or "", row["label"] or "", row.get("split") or ""
        if label not in CELL_LABELS:
            raise TrainingError(f"{where}: unknown class {label!r}; known are {', '.join(CELL_LABELS)}.")
        if split and split not in SPLITS:
            raise TrainingError(f"{where}: unknown split {split!r}; known are {', '.join(SPLITS)}.")
        splits_given.add(bool(split))
        if len(splits_given) > 1:
            raise TrainingError(f"{where}: a split is given here and not above, or above and not here.")
        if file in line_of:
            raise TrainingError(f"{where}: {file!r} is listed in line {line_of[file]} already.")
        if not (root / file).is_file():
            raise TrainingError(f"{where}: there is no file {file!r} in {root}.")
        line_of[file] = reader.line_num
        yield file, label, split


def _rows_of_folders(root: Path) -> Iterator[tuple[str, str, str]]:
    folders = sorted(
        folder for folder in root.iterdir() if folder.is_dir() and not folder.name.startswith(".")
    )
    if not folders:
        raise TrainingError(f"{root} has neither labels.csv nor class folders ({', '.join(CELL_LABELS)}).")
    for folder in folders:
        if folder.name not in CELL_LABELS:
            raise TrainingError(f"{folder} is not a known class; known are {', '.join(CELL_LABELS)}.")
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
        if not files:
            raise TrainingError(f"The class folder {folder} has no image. Fill it or remove it.")
        for path in files:
            yield f"{folder.name}/{path.name}", folder.name, ""
