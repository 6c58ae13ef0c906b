"""The folder in which the processes of a program count together."""

import os
import subprocess
import sys

# Prints whether the folder is there once a child that was forked has ended.
PROGRAM = """
import os, sys
from webapp.telemetry.exposition import SHARED, share_figures
share_figures()
if not os.fork():
    sys.exit()
os.wait()
print(os.path.isdir(os.environ[SHARED]))
"""


def test_it_goes_with_the_program_that_made_it_and_not_with_a_child(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr
    assert list(tmp_path.iterdir()) == []
