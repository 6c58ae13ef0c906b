"""Become one program of the stack: `python -m infra.local.launch NAME`, the command the supervisor runs.

Each program's command, environment and account are worked out here, in the process that becomes it, so that
no secret passes through the supervisor or its configuration file.
"""

import os
import signal
import sys

from infra.local.config.secrets import Secrets
from infra.local.config.settings import Settings, home_from_environment
from infra.local.errors import StackError
from infra.local.lifeline import die_with_parent, end_leftovers, mark
from infra.local.limits import PROGRAM_LEFTOVERS_STOP_S
from infra.local.programs.catalogue import all_programs


def main(name: str) -> None:
    """Prepare the program and become it; does not return."""
    settings = Settings.of_running(home_from_environment())
    program = all_programs(settings, Secrets.load(settings.home))[name]
    # Children of an earlier run that was killed would keep its port, or its work.
    end_leftovers(settings.home, name, patience_s=PROGRAM_LEFTOVERS_STOP_S)
    try:
        program.prepare()
    except (StackError, OSError) as error:
        sys.exit(str(error))  # into the program's log
    supervisor = int((settings.home / "run" / "supervisord.pid").read_text())
    if program.account:
        program.account.become()
    # What stores ends in good order; the rest at once: without the services it would wait for them in vain,
    # and its work is safe in the database. Last here, because a change of account would undo it.
    orderly = program.group == "services"
    die_with_parent(supervisor, signal.Signals[f"SIG{program.stop_signal}"] if orderly else signal.SIGKILL)
    env = {**os.environ, **program.env, **mark(settings.home, name)}
    os.execve(program.argv[0], program.argv, env)  # noqa: S606 - a list, never a shell's


if __name__ == "__main__":
    main(sys.argv[1])
