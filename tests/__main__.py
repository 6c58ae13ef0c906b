"""Runs all tests but those of compose and monitoring, as `make test` does.

Those of training run beside the others, in an environment of their own.

`python -m tests OPTIONS…`: options for pytest. What training's tests print is kept apart, and shown whole if
they fail. Fails if either do. Ctrl-C ends both.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO

from infra.local.lifeline import die_with_parent

ROOT = Path(__file__).parents[1]
# With what processor time the others, which wait for each other much, leave over.
TRAINING = ("nice", ROOT / ".venv-training" / "bin" / "python", "-m", "pytest", "tests/training")
# These networks are small: more threads only take processor time from what runs beside.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)
_PATIENCE_S = 20
_INTERRUPTED = 2  # of pytest's exit codes


def main(options: list[str]) -> int:
    began = time.monotonic()
    with (
        tempfile.TemporaryFile("w+", errors="replace") as said,
        # TensorFlow leaves files behind.
        tempfile.TemporaryDirectory(prefix="hematovision-training-", ignore_cleanup_errors=True) as folder,
    ):
        training = _started(*TRAINING, into=said, env={**os.environ, **ONE_THREAD, "TMPDIR": folder})
        everything_else = _started(sys.executable, "-m", "pytest", *options)
        signal.signal(signal.SIGTERM, _interrupt)
        signal.signal(signal.SIGHUP, _interrupt)
        try:
            code = everything_else.wait()
            if code != _INTERRUPTED:
                training.wait()
        except KeyboardInterrupt:
            code = _INTERRUPTED
        finally:
            _end(everything_else, training)
        if code == _INTERRUPTED:
            _say("Interrupted.")
            return code
        said.seek(0)
        lines = said.read().splitlines()
        shown = lines if training.returncode else lines[-1:]
        _say("Tests of training:", *shown, f"Everything took {time.monotonic() - began:.0f} s.")
    for name, failed in (("tests", code), ("tests of training", training.returncode)):
        if failed:
            _say(f"FAILED: {name} (exit code {failed}).")
    return code or training.returncode


def _started(
    *command: object, into: IO[str] | None = None, env: Mapping[str, str] = os.environ
) -> "subprocess.Popen[bytes]":
    # In sessions of their own, so that Ctrl-C comes to us alone, and to each of them once.
    return subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=into,
        stderr=into and subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=partial(die_with_parent, os.getpid()),
    )


def _end(*processes: "subprocess.Popen[bytes]") -> None:
    """As Ctrl-C would, all at once and workers too, those that have not ended."""
    running = [process for process in processes if process.poll() is None]
    for process in running:
        os.killpg(process.pid, signal.SIGINT)
    until = time.monotonic() + _PATIENCE_S
    for process in running:
        try:
            process.wait(max(0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(["", *lines, ""]))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
