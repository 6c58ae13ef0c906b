"""What goes wrong in a command is said in one line, and Ctrl-C ends it in silence."""

import errno
import os
import signal
import subprocess
import sys

import pytest
import typer

from infra.commands.terminal import failures


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EDQUOT])
def test_what_the_system_denies(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, failures():
        raise OSError(number, os.strerror(number), "/srv/var/secrets.json")
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err == f"/srv/var/secrets.json: {os.strerror(number)}.\n"


def test_ctrl_c_while_the_program_is_still_being_read() -> None:
    code = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, *_):
        if name == "infra.commands.cli":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from infra.commands.entry import main
main()
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == -signal.SIGINT
    assert ended.stderr == ""
