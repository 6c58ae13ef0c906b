"""`python -m training`, which lives in an environment of its own, as a process of ours."""

import os
import subprocess
from pathlib import Path

from infra.language import _
from infra.local.config.settings import PREFIX
from infra.local.errors import StackError

CHECKOUT = Path(__file__).parents[2]
BELOW_BOUND = 3  # its exit code where what was learned is not good enough


class BelowBound(Exception):
    """What was learned is below the bound for going live; training has said why."""


def run(command: str, *arguments: str | Path) -> None:
    """Run a command of `training`, whose progress goes to this terminal.

    Raises:
        BelowBound: what was learned is below the bound for going live.
        StackError: it cannot be run, or failed; it has said why.
        KeyboardInterrupt: it was interrupted, and has kept what it can go on from.
    """
    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
    with subprocess.Popen(
        [_python(), "-m", "training", command, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
    ) as process:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            process.wait()  # Ctrl-C went to it too, and it may have something to save
            raise
    if code == BELOW_BOUND:
        raise BelowBound
    if code:
        raise StackError(
            _("Nothing was published: `training %(command)s` ended with exit code %(code)s.")
            % {"command": command, "code": code}
        )


def _python() -> str:
    ours = CHECKOUT / ".venv-training" / "bin" / "python"
    python = Path(os.environ.get(f"{PREFIX}TRAINING_PYTHON") or ours)
    if not python.is_file():
        raise StackError(
            _(
                "There is no training environment at %(python)s: `make training` builds it, or name "
                "another one's interpreter in HEMATOVISION_TRAINING_PYTHON."
            )
            % {"python": python}
        )
    return str(python)
