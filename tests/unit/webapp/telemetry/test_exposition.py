"""The folder in which the processes of a program count together, and who is told what they counted."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from webapp.telemetry.exposition import for_holders

# Prints whether the folder is there once a child that was forked has ended.
PROGRAM = """
import os, sys
from webapp.telemetry.exposition import SHARED, share_metrics
share_metrics()
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


@pytest.mark.parametrize(
    ("token", "shown", "status"),
    [
        ("secret", "Bearer secret", "200 OK"),
        ("secret", "", "401 Unauthorized"),
        ("secret", "Bearer ", "401 Unauthorized"),
        ("secret", "Bearer wrong", "401 Unauthorized"),
        ("secret", "Bearer s\xe9cret", "401 Unauthorized"),
        ("secret", "secret", "401 Unauthorized"),
        ("", "", "200 OK"),
    ],
)
def test_metrics_are_told_to_whoever_shows_the_token(token, shown, status):
    def metrics(environ, start_response):
        start_response("200 OK", [])
        return [b"metrics"]

    said = []

    def begin(status: str, headers: object, exc_info: object = None) -> Callable[[bytes], object]:
        said.append(status)
        return list[bytes]().append

    body = for_holders(metrics, token)({"HTTP_AUTHORIZATION": shown}, begin)
    assert said == [status]
    assert list(body) == ([b"metrics"] if status == "200 OK" else [])
