"""Runs all tests but those of compose and monitoring, as `make test` does.

Those of training run beside the others, in an environment of their own.

`python -m tests OPTIONS…`: options for pytest. What training's tests print is kept apart, and shown whole if
they fail. Fails if either do. Ctrl-C ends both.

`python -m tests --floor PACKAGE=PERCENT … OPTIONS…` also fails if the tests, those of training left out, run
less than so many per cent of a package's lines, in their own processes.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

from infra.local.lifeline import die_with_parent
from tests.support import lines

ROOT = Path(__file__).parents[1]
# With what processor time the others, which wait for each other much, leave over.
TRAINING = ("nice", ROOT / ".venv-training" / "bin" / "python", "-m", "pytest", "tests/training")
# These networks are small: more threads only take processor time from what runs beside.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)
_PATIENCE_S = 20
_INTERRUPTED = 2  # of pytest's exit codes


def main(floors: Mapping[str, float], options: list[str]) -> int:
    began = time.monotonic()
    with (
        tempfile.TemporaryFile("w+", errors="replace") as said,
        # TensorFlow leaves files behind.
        tempfile.TemporaryDirectory(prefix="hematovision-training-", ignore_cleanup_errors=True) as folder,
    ):
        training = _started(*TRAINING, into=said, env={**os.environ, **ONE_THREAD, "TMPDIR": folder})
        counts = Path(folder) / "lines"
        counts.mkdir()
        env = {**os.environ, **(lines.wanted(counts, list(floors)) if floors else {})}
        everything_else = _started(sys.executable, "-m", "pytest", *options, env=env)
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
        below = _below(floors, lines.seen(counts)) if floors and not code else []
        said.seek(0)
        printed = said.read().splitlines()
        shown = printed if training.returncode else printed[-1:]
        _say("Tests of training:", *shown, f"Everything took {time.monotonic() - began:.0f} s.")
    for name, failed in (("tests", code), ("tests of training", training.returncode)):
        if failed:
            _say(f"FAILED: {name} (exit code {failed}).")
    return code or training.returncode or bool(below)


def _below(floors: Mapping[str, float], files: Mapping[str, Any]) -> list[str]:
    """The packages of which less is run than shall be. Says how much of each is."""
    below = []
    for package, floor in floors.items():
        of_package = [file for name, file in files.items() if name.startswith(f"{package}/")]
        run, missed = (
            sum(len(file[kind]) for file in of_package) for kind in ("executed_lines", "missing_lines")
        )
        percent = 100 * run / (run + missed)
        _say(f"{percent:.1f} % of the lines of {package} were run; at least {floor:g} % shall be.")
        if percent < floor:
            below.append(package)
            _say(f"FAILED: too little of {package} was run.")
    return below


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
    of_floors = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    of_floors.add_argument("--floor", action="append", default=[])
    given, rest = of_floors.parse_known_args()
    sys.exit(
        main({package: float(floor) for package, floor in (one.split("=") for one in given.floor)}, rest)
    )
