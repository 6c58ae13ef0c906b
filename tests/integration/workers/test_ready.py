"""`python -m workers.ready`, as a cluster asks it."""

import subprocess
import sys

import pytest

from tests.support.embedded import embedded_server
from tests.support.stack import RunningStack, beside
from tests.support.tls import Authority, tls_front

HOST = "127.0.0.1"  # of several addresses, gRPC would tell of whichever failed last


@pytest.fixture
def ready(stack: RunningStack):
    def ask(**given: str) -> tuple[int, str]:
        settings = {f"HEMATOVISION_{name}": value for name, value in given.items()}
        done = subprocess.run(
            [sys.executable, "-m", "workers.ready"],
            env=beside(stack.environment, **settings),
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stderr.strip().rpartition("\n")[2]  # gRPC talks, too

    return ask


def test_a_worker_that_reaches_everything_is_ready(ready):
    assert ready() == (0, "")


def test_it_is_not_with_a_model_server_that_cannot_be_reached_or_has_no_model(ready, tmp_path):
    assert ready(SERVING_TARGET="127.0.0.1:1") == (1, "model failed: unavailable")
    with embedded_server(tmp_path) as server:
        in_plain = dict.fromkeys(("SERVING_CA", "SERVING_CERTIFICATE", "SERVING_KEY"), "")
        said = ready(SERVING_TARGET=server.target, **in_plain)
    assert said == (1, "model failed: no model is loaded")


def test_it_is_not_with_a_model_server_whose_certificate_has_expired(ready, stack, tmp_path):
    ours = Authority(tmp_path)
    target = stack.environment["HEMATOVISION_SERVING_TARGET"].rpartition(":")[2]
    with tls_front(int(target), ours.issue(HOST, expired=True)) as port:
        said = ready(SERVING_TARGET=f"{HOST}:{port}", SERVING_CA=str(ours.file))
    assert said == (1, "model failed: its certificate has expired")
