"""Which versions exist on disk, which are loaded, and which one answers.

The rules are those of tensorflow/serving's file system source, with two of its traps closed: a version is
looked at only when it is complete, and while the newest one cannot be loaded the newest one that can goes on
answering.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import grpc
import structlog

from serving.contract import MODEL_FILE, MODEL_JSON, ModelFolderError
from serving.embedded import limits
from serving.embedded.errors import RequestError
from serving.embedded.model import LoadedModel
from serving.manifest import MANIFEST, Verifier
from serving.wire.serving_pb2 import ModelVersionStatus

_State = ModelVersionStatus.State
_log = structlog.get_logger("serving.embedded")


@dataclass(frozen=True)
class Source:
    """Where a model's versions are, and which of them to serve."""

    path: Path
    """The folder that holds the version folders."""
    latest: int | None = 1
    """How many of the newest versions; None for all."""
    only: frozenset[int] | None = None
    """These versions alone; None for any."""
    labels: Mapping[str, int] = field(default_factory=dict)
    """Names for versions, which requests may use instead of the number."""


class _Stamp(NamedTuple):
    """Changes when the files of a version do."""

    sizes: tuple[int, ...]
    changed_ns: tuple[int, ...]


@dataclass
class Version:
    """What became of one version."""

    state: ModelVersionStatus.State = ModelVersionStatus.START
    model: LoadedModel | None = None
    error: str = ""
    stamp: _Stamp | None = None


class ModelRepository:
    """The models under one base folder, or those of the last accepted configuration.

    Not for use by several threads: everything happens on the event loop, loading beside it.
    """

    def __init__(self, base: Path, *, threads: int, publisher: Verifier | None) -> None:
        """Serve what lies below `base` and was published by `publisher`; by anybody where that is None."""
        self._base = base.resolve()
        self._publisher = publisher
        self._threads = threads
        self._configured: dict[str, Source] | None = None
        self._sources: dict[str, Source] = {}
        self._versions: dict[str, dict[int, Version]] = {}
        self._syncing = asyncio.Lock()

    def get(self, name: str, version: int | None = None, label: str | None = None) -> LoadedModel:
        """The model that answers for `name`: the given version, the labelled one, or the newest available.

        Raises RequestError with the code tensorflow/serving gives.
        """
        if label is not None:
            version = self._sources[name].labels.get(label) if name in self._sources else None
            if version is None:
                raise RequestError(
                    grpc.StatusCode.INVALID_ARGUMENT, f"Unrecognized servable version label: {label}"
                )
        available = dict(self._available(name))
        number = max(available, default=None) if version is None else version
        if number is None or number not in available:
            wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise RequestError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}")
        return available[number]

    def versions(self, name: str) -> Mapping[int, Version]:
        """Every version of a model seen so far, in ascending order."""
        return dict(sorted(self._versions.get(name, {}).items()))

    def any_available(self) -> bool:
        """Whether there is a model to answer with."""
        return any(True for name in self._versions for _ in self._available(name))

    async def sync(self) -> None:
        """Look at the disk once: load what should be served, then unload what should not."""
        async with self._syncing:
            try:
                sources = self._configured
                if sources is None:
                    sources = await asyncio.to_thread(_discover, self._base)
            except OSError as error:
                _log.warning("cannot look for models", base=str(self._base), error=str(error))
                return
            self._sources = sources
            for name, source in sources.items():
                try:
                    serving = await self._load(name, source, settle_s=limits.SETTLE_S)
                except OSError as error:
                    # A share that is away for a moment is no reason to stop answering.
                    _log.warning("cannot look for versions", model=name, error=str(error))
                    continue
                self._retire(name, keep=serving)
            for name in self._versions.keys() - sources.keys():
                self._retire(name, keep=set())

    async def reconfigure(self, sources: dict[str, Source]) -> None:
        """Serve exactly `sources` from now on. Returns when each of them has a version that answers.

        Raises RequestError, and changes nothing, when one of them has none, labels a version that has not, or
        is not below the base folder.
        """
        for name, source in sources.items():
            if not await asyncio.to_thread(self._holds, source.path):
                raise RequestError(
                    grpc.StatusCode.INVALID_ARGUMENT,
                    f"base_path of model {name} must be below the folder of models, not {source.path}",
                )
        async with self._syncing:
            before = {name: {number for number, _ in self._available(name)} for name in self._versions}
            try:
                serving = {
                    name: await self._load_configured(name, source) for name, source in sources.items()
                }
            except RequestError:
                serving = before
                raise
            else:
                self._configured = self._sources = dict(sources)
            finally:
                for name in self._versions:
                    self._retire(name, keep=serving.get(name, set()))

    async def _load_configured(self, name: str, source: Source) -> set[int]:
        try:
            serving = await self._load(name, source, settle_s=0)
        except OSError as error:
            raise RequestError(
                grpc.StatusCode.NOT_FOUND, f"{source.path} of model {name} cannot be read: {error.strerror}"
            ) from error
        if not serving:
            errors = [version.error for version in self.versions(name).values() if version.error]
            raise RequestError(
                grpc.StatusCode.UNKNOWN,
                "; ".join([f"no version of model {name} became available from {source.path}", *errors]),
            )
        for label, number in source.labels.items():
            if number not in serving:
                raise RequestError(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    f"label {label!r} names version {number} of model {name}, which is not available",
                )
        return serving

    def _available(self, name: str) -> Iterator[tuple[int, LoadedModel]]:
        for number, version in self._versions.get(name, {}).items():
            if version.model is not None:
                yield number, version.model

    async def _load(self, name: str, source: Source, *, settle_s: float) -> set[int]:
        """Load the versions that `source` asks for, newest first, passing over those that cannot be; their
        numbers."""
        found = await asyncio.to_thread(_scan, source.path, settle_s)
        versions = self._versions.setdefault(name, {})
        serving: set[int] = set()
        for number in sorted(found, reverse=True):
            if source.latest is not None and len(serving) == source.latest:
                break
            if source.only is not None and number not in source.only:
                continue
            version = versions.setdefault(number, Version())
            stamp = found[number]
            if version.model is None and stamp is not None and not (version.error and version.stamp == stamp):
                await self._load_version(name, number, source.path / str(number), version)
                version.stamp = stamp
            if version.model is not None:
                serving.add(number)
        return serving

    async def _load_version(self, name: str, number: int, folder: Path, version: Version) -> None:
        version.state, version.error = _State.LOADING, ""
        began = time.monotonic()
        try:
            model = await asyncio.to_thread(self._read, name, number, folder)
            if model.info.name != name:
                raise ModelFolderError(
                    f"{folder / MODEL_JSON}: name is {model.info.name!r} but it is served as {name!r}"
                )
        except ModelFolderError as error:
            version.state, version.error = _State.END, str(error)
            _log.error("version rejected", model=name, version=number, reason=version.error)
            return
        version.state, version.model = _State.AVAILABLE, model
        _log.info("version available", model=name, version=number, seconds=round(time.monotonic() - began, 2))

    def _read(self, name: str, number: int, folder: Path) -> LoadedModel:
        if not self._holds(folder):
            raise ModelFolderError(f"{folder} leads out of the folder of models")
        published = self._publisher.files(folder, name, number) if self._publisher else None
        return LoadedModel(folder, threads=self._threads, published=published)

    def _holds(self, path: Path) -> bool:
        """Whether a path leads to a place below the base folder that is not hidden from servers."""
        path = path.resolve()
        return path.is_relative_to(self._base) and not any(
            part.startswith(".") for part in path.relative_to(self._base).parts
        )

    def _retire(self, name: str, *, keep: set[int]) -> None:
        """Stop answering with the other versions; requests under way keep theirs until they are done."""
        for number, version in self._versions.get(name, {}).items():
            if number not in keep and version.model is not None:
                version.state, version.model = _State.END, None
                _log.info("version unloaded", model=name, version=number)


def _discover(base: Path) -> dict[str, Source]:
    """The models under `base`: itself when it holds version folders, else each folder in it."""
    if any(_number(child) is not None for child in base.iterdir()):
        return {base.name: Source(base)}
    return {
        child.name: Source(child)
        for child in base.iterdir()
        if child.is_dir() and not child.name.startswith(".")
    }


def _scan(path: Path, settle_s: float) -> dict[int, _Stamp | None]:
    """The version folders in `path`; None stands for one that is still being written."""
    found: dict[int, _Stamp | None] = {}
    for child in path.iterdir():
        number = _number(child)
        if number is not None:
            found[number] = _stamp(child, settle_s)
    return found


def _number(folder: Path) -> int | None:
    name = folder.name
    # Not 007: two folders must not mean one version.
    canonical = name.isascii() and name.isdecimal() and str(int(name)) == name
    return int(name) if canonical and folder.is_dir() else None


def _stamp(folder: Path, settle_s: float) -> _Stamp | None:
    try:
        files = [(folder / file).stat() for file in (MODEL_JSON, MODEL_FILE)]
    except FileNotFoundError:
        return None
    with suppress(FileNotFoundError):
        files.append((folder / MANIFEST).stat())
    # The time of the last change of the file's data or owner: unlike mtime, copying does not carry it over.
    changed = tuple(file.st_ctime_ns for file in files)
    if time.time() - max(changed) / 1e9 < settle_s:
        return None
    return _Stamp(tuple(file.st_size for file in files), changed)
