"""A few decoder processes that a worker keeps: each decodes one picture at a time, and can be killed.

They are started afresh (no fork of a process with threads and gRPC in it), get nothing of the worker's
environment, and end when the worker does, because their socket closes.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, LifoQueue

import numpy as np

import serving
from serving.contract.sentence import N_, Sentence, load
from serving.decoder import kinds
from serving.decoder.limits import END_SECONDS, MAX_ATTEMPTS, START_SECONDS, WALL_SECONDS
from serving.decoder.messages import Ended, receive, send
from serving.decoder.picture import Picture
from serving.decoder.refused import FileRefused, Reason

_ROOT = Path(serving.__file__).parents[1]
_TOO_LONG = Sentence(
    N_("Decoding this image took too long, and was stopped. Save it again as a plain PNG, TIFF or JPEG.")
)
_TOO_MUCH = Sentence(
    N_("This image needs more memory than it may have. Save it again as a plain PNG, TIFF or JPEG.")
)
_CRASHED = Sentence(
    N_("The decoder broke down on this image, twice. Save it again as a plain PNG, TIFF or JPEG.")
)


class DecodersBusy(Exception):
    """No decoder was free before the timeout: the picture was not looked at."""


class DecoderUnavailable(Exception):
    """No decoder process starts: the fault is this machine's, not a picture's."""


class Decoders:
    """Decodes pictures in up to `processes` processes; safe to use from several threads.

    A process starts when it is first needed, and again as soon as one had to be killed. `ended` is called
    for each that ended over a picture, with "time", "memory" or "crash".
    """

    def __init__(
        self,
        processes: int,
        *,
        max_pixels: int,
        seconds: float = WALL_SECONDS,
        ended: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._ended = ended
        self._max_pixels = max_pixels
        self._seconds = seconds
        self._free: LifoQueue[_Process | None] = LifoQueue()  # the last used first: others need never start
        for _ in range(processes):
            self._free.put(None)

    def read(self, data: bytes, *, size: int, until: float = float("inf")) -> Picture:
        """Decode an uploaded file, for a model of input size `size`.

        A picture on which a decoder crashes is retried once: another process may have used up the memory.

        Args:
            until: on `time.monotonic`'s clock; a picture that has no decoder by then is not begun.

        Raises:
            FileRefused: the file cannot be used, or costs too much.
            DecodersBusy: it was not begun.
            DecoderUnavailable: no decoder comes up.
        """
        process = self._turn(until)
        try:
            for _ in range(MAX_ATTEMPTS):
                if process is None or not process.alive():
                    process = _Process(self._max_pixels)
                process.wait_until_ready()
                try:
                    return process.read(data, size, time.monotonic() + self._seconds)
                except TimeoutError:
                    process.kill()
                    self._ended("time")
                    raise FileRefused(Reason.TOO_COSTLY, _TOO_LONG) from None
                except MemoryError:
                    process.kill()  # the kernel takes back what it could not finish
                    self._ended("memory")
                    raise FileRefused(Reason.TOO_COSTLY, _TOO_MUCH) from None
                except Ended:
                    if process.ended_by() == -signal.SIGXCPU:
                        self._ended("time")
                        raise FileRefused(Reason.TOO_COSTLY, _TOO_LONG) from None
                    self._ended("crash")
            raise FileRefused(Reason.TOO_COSTLY, _CRASHED)
        finally:
            if process is not None and not process.alive():
                process = _started_or_none(self._max_pixels)
            self._free.put(process)

    def close(self) -> None:
        """End those that are idle."""
        with suppress(Empty):
            while True:
                if process := self._free.get_nowait():
                    process.kill()

    def _turn(self, until: float) -> "_Process | None":
        patience = until - time.monotonic()
        try:
            if patience == float("inf"):
                return self._free.get()
            return self._free.get(timeout=patience) if patience > 0 else self._free.get_nowait()
        except Empty:
            raise DecodersBusy from None


class _Process:
    """One decoder. It is not waited for when it starts, so that it may come up while others work."""

    def __init__(self, max_pixels: int) -> None:
        self._ready = False
        self._channel, theirs = socket.socketpair()
        arguments = ["-W", "ignore", "-m", "serving.decoder", str(theirs.fileno()), str(max_pixels)]
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, *arguments],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    cwd="/",
                    env=_environment(),
                    start_new_session=True,  # what stops a worker must not stop what it has in hand
                )
        except OSError as error:
            self._channel.close()
            raise DecoderUnavailable from error

    def wait_until_ready(self) -> None:
        if self._ready:
            return
        try:
            receive(self._channel, time.monotonic() + START_SECONDS)
        except (TimeoutError, Ended) as error:
            self.kill()
            raise DecoderUnavailable from error
        self._ready = True

    def alive(self) -> bool:
        return self._process.poll() is None

    def read(self, data: bytes, size: int, until: float) -> Picture:
        """
        Raises:
            TimeoutError: it took longer.
            Ended: the process is gone, or answers nonsense.
            MemoryError: the picture needs more than it may have.
            FileRefused: the file is refused.
        """
        self._channel.settimeout(max(0.001, until - time.monotonic()))
        send(self._channel, {"size": size}, data)
        said, parts = receive(self._channel, until)
        if said.get("memory"):
            raise MemoryError
        try:
            if "refused" in said:
                detail = load(said["detail"]) if said["detail"] else None
                raise FileRefused(Reason(said["refused"]), detail)
            pixels, display = parts
            return Picture(
                pixels=np.frombuffer(pixels, np.uint8).reshape(size, size, 3),
                width=int(said["width"]),
                height=int(said["height"]),
                media_type=kinds.known(said["media_type"]),
                display=bytes(display) or None,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Ended from error

    def ended_by(self) -> int:
        """The exit status of a process that is ending, negative the signal; killed if it does not."""
        try:
            self._process.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._channel.close()
        return self._process.returncode

    def kill(self) -> None:
        self._channel.close()
        self._process.kill()
        self._process.wait()


def _started_or_none(max_pixels: int) -> _Process | None:
    try:
        return _Process(max_pixels)
    except DecoderUnavailable:
        return None


def _environment() -> dict[str, str]:
    """None of the worker's: it holds passwords."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
    }
