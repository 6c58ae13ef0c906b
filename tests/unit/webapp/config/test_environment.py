"""Settings are read strictly: every program ends at once with one line that names the setting at fault."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from environs import EnvError

from tests.support.settings import read_settings
from webapp.config.environment import PREFIX, StrictEnv, data_keys, strong_secret

ROOT = Path(__file__).parents[4]
PROGRAMS = {
    "command": [sys.executable, "-m", "webapp", "check"],
    "web": [
        sys.executable,
        "-m",
        "gunicorn",
        "--preload",
        "--check-config",
        "webapp.config.wsgi:application",
    ],
    "worker": [sys.executable, "-m", "celery", "-A", "workers", "report"],
    "relay": [sys.executable, "-m", "workers.relay"],
}


@pytest.fixture
def read(monkeypatch):
    """Reads the settings with some changed, or taken away by None."""

    def read(**changes: str | None) -> dict[str, object]:
        for name, value in changes.items():
            monkeypatch.setenv(PREFIX + name, value) if value is not None else monkeypatch.delenv(
                PREFIX + name
            )
        return read_settings()

    return read


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_ends_with_one_line(program):
    env = {name: value for name, value in os.environ.items() if name != "HEMATOVISION_SECRET_KEY"}
    done = subprocess.run(PROGRAMS[program], env=env, capture_output=True, text=True, timeout=100, cwd=ROOT)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines() == [
        'HematoVision cannot start: Environment variable "HEMATOVISION_SECRET_KEY" not set'
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SECRET_KEY": ""}, "HEMATOVISION_SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "HEMATOVISION_SECRET_KEY can be guessed"),
        ({"DATA_KEYS_FILE": None}, "HEMATOVISION_DATA_KEYS"),
        ({"DATA_KEYS_FILE": None, "DATA_KEYS": "2026-01-31:c2VjcmV0"}, "6 bytes, not 32"),
        ({"DATA_KEYS_FILE": "/nowhere"}, "HEMATOVISION_DATA_KEYS_FILE"),
        ({"DATA_KEYS": "2026-01-31:c2VjcmV0"}, "are both set"),
        ({"UPLOAD_MAX_BYTES": "a lot"}, "HEMATOVISION_UPLOAD_MAX_BYTES"),
        ({"DEBUG": "perhaps"}, "HEMATOVISION_DEBUG"),
        ({"DATABASE_URL": "secret://planted:planted@x"}, "HEMATOVISION_DATABASE_URL"),
        ({"TRACES_ENDPOINT": "collector:4318"}, "HEMATOVISION_TRACES_ENDPOINT"),
        ({"TRACES_ENDPOINT": "http://collector:4318"}, "HEMATOVISION_TRACES_ENDPOINT means plain text"),
        ({"TRACES_RATIO": "2"}, "HEMATOVISION_TRACES_RATIO"),
        ({"CHUNK_LEASE_SECONDS": "0"}, "HEMATOVISION_CHUNK_LEASE_SECONDS"),
        (
            {"CHUNK_LEASE_SECONDS": "55"},
            "CHUNK_LEASE_SECONDS (55) must be longer than HEMATOVISION_TASK_TIME_LIMIT_SECONDS (55)",
        ),
        (
            {"TASK_SOFT_TIME_LIMIT_SECONDS": "56"},
            "TASK_TIME_LIMIT_SECONDS (55) must be longer than HEMATOVISION_TASK_SOFT_TIME_LIMIT_SECONDS (56)",
        ),
        ({"BROKER_VISIBILITY_TIMEOUT_SECONDS": "60"}, "must be longer than HEMATOVISION_CHUNK_LEASE_SECONDS"),
        ({"BROKER_VISIBILITY_TIMEOUT_SECONDS": "200"}, "must be longer than a nightly task may run"),
        (
            {"CHUNK_LEASE_SECONDS": "3600", "BROKER_VISIBILITY_TIMEOUT_SECONDS": "7200"},
            "CHUNK_LEASE_SECONDS must be shorter than tasks that were sent are remembered (3600 seconds)",
        ),
        ({"CHUNK_RETRY_LONGEST_SECONDS": "1"}, "must not be below HEMATOVISION_CHUNK_RETRY_FIRST_SECONDS"),
        ({"UPLOAD_MAX_BYTE": "1"}, "Did you mean HEMATOVISION_UPLOAD_MAX_BYTES?"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_in_one_line_that_shows_no_value(read, changes, said):
    with pytest.raises((EnvError, ImproperlyConfigured)) as refused:
        read(**changes)
    (line,) = str(refused.value).splitlines()
    assert said in line
    for value in ("c2VjcmV0", "planted", "perhaps"):
        assert value not in line


def test_a_name_that_nothing_knows_is_pointed_out_and_changes_nothing(read, capsys):
    read(FLUX_CAPACITOR="1")
    assert "There is no setting HEMATOVISION_FLUX_CAPACITOR" in capsys.readouterr().err


def test_a_value_may_come_from_a_file(monkeypatch, tmp_path):
    (tmp_path / "secret").write_text("kept in a file\n")
    monkeypatch.setenv("HEMATOVISION_A_FILE", str(tmp_path / "secret"))
    assert StrictEnv().str("A") == "kept in a file"
    monkeypatch.setenv("HEMATOVISION_A", "given")
    with pytest.raises(EnvError, match=r"HEMATOVISION_A and HEMATOVISION_A_FILE are both set"):
        StrictEnv().str("A")


def test_what_is_empty_is_not_set(monkeypatch):
    monkeypatch.setenv("HEMATOVISION_A", "")
    assert StrictEnv().int("A", 7) == 7
    with pytest.raises(EnvError, match="HEMATOVISION_A"):
        StrictEnv().int("A")


@pytest.mark.parametrize("key", ["x" * 60, "abcd" * 5, "django-insecure-" + "abcdefghij" * 5])
def test_a_secret_key_that_can_be_guessed_is_rejected(key):
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY can be guessed"):
        strong_secret(key)


def test_unusable_data_keys_are_rejected():
    with pytest.raises(ImproperlyConfigured, match="HEMATOVISION_DATA_KEYS cannot be used"):
        data_keys("one")


def test_no_name_that_we_use_elsewhere_is_taken_for_a_slip(read, monkeypatch):
    folders = ("infra", "k8s", "docs")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in files:
        for name in re.findall(rf"{PREFIX}[A-Z][A-Z0-9_]*[A-Z0-9]", path.read_text(errors="ignore")):
            if name not in os.environ and f"{name}_FILE" not in os.environ and not name.endswith("_FILE"):
                monkeypatch.setenv(name, "")
    read()
