"""Django's management commands, run beside the product."""

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import NoReturn

from infra.language import ENVIRONMENT
from infra.local.config.environment import environment, owner
from infra.local.config.secrets import Secrets
from infra.local.config.settings import PREFIX, Settings, home_from_environment
from infra.local.errors import StackError

_COMMAND_ERROR = "CommandError: "  # after it, Django's last word is for people


def product_environment() -> Mapping[str, str]:
    """Variables for a command: of this machine's running stack, or those that the environment has.

    Raises:
        NotRunningError: neither.
    """
    if os.environ.keys() & {f"{PREFIX}DATABASE_URL", f"{PREFIX}DATABASE_URL_FILE"}:
        return {}
    settings = Settings.of_running(home_from_environment())
    secrets = Secrets.load(settings.home)
    return {**environment(settings, secrets), **owner(settings, secrets)}


def become(*arguments: str) -> NoReturn:
    """Go on as a management command; does not return.

    Raises:
        NotRunningError: there is no product to run it beside.
    """
    env = product_environment()
    argv = [sys.executable, "-m", "webapp", *arguments]
    os.execve(sys.executable, argv, {**os.environ, **env, **ENVIRONMENT})  # noqa: S606 - a list, never a shell's


def manage(*arguments: str, env: Mapping[str, str]) -> str:
    """Run a management command, and return what it printed.

    Raises:
        StackError: it failed; the message is the command's own.
    """
    done = subprocess.run(
        [sys.executable, "-m", "webapp", *arguments],
        env={**os.environ, **env, **ENVIRONMENT},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = done.stderr.strip()
        raise StackError(said.rpartition(_COMMAND_ERROR)[2])
    return done.stdout
