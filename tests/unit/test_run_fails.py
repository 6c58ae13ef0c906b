"""A test run says so, and ends, when something kills one of its workers."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_worker_that_crashes_fails_the_run_at_once(tmp_path):
    (tmp_path / "test_some.py").write_text(
        "import os\n"
        "def test_that_kills_its_worker(): os._exit(3)\n"
        "def test_one(): pass\n"
        "def test_another(): pass\n"
    )

    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", "--rootdir", ROOT, "-c",
         ROOT / "pyproject.toml", tmp_path],
        cwd=ROOT, env=ours, capture_output=True, text=True, timeout=120,
    )  # fmt: skip

    assert run.returncode == 1
    assert run.stdout.count("node down") == 1
    assert "crashed and worker restarting disabled" in run.stdout
