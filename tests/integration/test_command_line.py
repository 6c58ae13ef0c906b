"""`hematovision` against the running product: sign in, upload, repeat, demonstrate."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.client import Client
from infra.demo import cells
from infra.local.settings import PREFIX
from serving.contract import CELL_LABELS
from tests.support.stack import RunningStack

HEMATOVISION = str(Path(sys.executable).with_name("hematovision"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight drawn cells, one of each class, in folders of their classes."""
    folder = tmp_path_factory.mktemp("cells")
    cells.write(folder, per_class=1, seed=5)
    return folder


class Terminal:
    """A technician's shell, with a home folder of its own."""

    def __init__(self, stack: RunningStack, technician: dict[str, str], home: Path) -> None:
        self.technician = technician
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        self.env = {**inherited, "HOME": str(home), "XDG_CONFIG_HOME": str(home), f"{PREFIX}URL": stack.url}

    def run(self, *arguments: str | Path, **env: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [HEMATOVISION, *map(str, arguments)],
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )

    def sign_in(self) -> "subprocess.CompletedProcess[str]":
        password = {f"{PREFIX}PASSWORD": self.technician["password"]}
        return self.run("login", "--email", self.technician["email"], **password)


@pytest.fixture(scope="module")
def technician(stack: RunningStack) -> dict[str, str]:
    return stack.new_lab()["technician"]


@pytest.fixture
def terminal(stack: RunningStack, technician: dict[str, str], tmp_path: Path) -> Terminal:
    return Terminal(stack, technician, tmp_path / "home")


@pytest.fixture
def client(stack: RunningStack, terminal: Terminal) -> Iterator[Client]:
    with Client(stack.url, terminal.technician["token"]) as client:
        yield client


def test_help_is_at_hand_at_once(terminal: Terminal) -> None:
    shown = terminal.run("--help")
    assert shown.returncode == 0
    assert "upload" in shown.stdout
    heavy = (
        "import infra.cli, sys; print({'django', 'boto3', 'psycopg', 'httpx', 'numpy'} & set(sys.modules))"
    )
    imported = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True)
    assert imported.stdout.strip() == "set()"


def test_sign_in_once_then_upload_and_see_the_count(terminal: Terminal, folder: Path, tmp_path: Path) -> None:
    signed_in = terminal.sign_in()
    assert signed_in.returncode == 0, signed_in.stdout
    (tokens,) = (tmp_path / "home").rglob("tokens.json")
    assert tokens.stat().st_mode & 0o777 == 0o600
    done = terminal.run("upload", folder, "--case", "CLI-1")
    assert done.returncode == 0, done.stdout
    assert "Uploading: 8 of 8" in done.stdout
    assert "Classifying: 8 of 8" in done.stdout
    assert "Differential count of CLI-1" in done.stdout
    assert "Neutrophil" in done.stdout
    assert f"{terminal.env[f'{PREFIX}URL']}/cases/" in done.stdout


def test_what_is_not_taken_is_named_with_the_reason(terminal: Terminal, tmp_path: Path) -> None:
    cells.draw("platelet", 1).save(tmp_path / "good.png")
    (tmp_path / "notes.jpg").write_text("not a picture")
    (tmp_path / "empty.png").touch()
    token = terminal.technician["token"]
    done = terminal.run("upload", tmp_path, "--case", "CLI-2", "--token", token)
    assert done.returncode == 1
    assert "notes.jpg" in done.stdout
    assert "empty.png" in done.stdout
    assert "The file is empty" in done.stdout
    assert "good.png" not in done.stdout


def test_a_second_run_counts_nothing_twice(terminal: Terminal, folder: Path, client: Client) -> None:
    token = {f"{PREFIX}TOKEN": terminal.technician["token"]}
    for _ in range(2):
        done = terminal.run("upload", folder, "--case", "CLI-3", **token)
        assert done.returncode == 0, done.stdout
    assert "8 of 8 files were in the case already" in done.stdout
    assert client.case(client.open_case("CLI-3").id).progress["classified"] == 8


def test_no_wait_hands_over_and_returns(terminal: Terminal, folder: Path, client: Client) -> None:
    token = terminal.technician["token"]
    done = terminal.run("upload", folder, "--case", "CLI-4", "--no-wait", "--token", token)
    assert done.returncode == 0
    assert "Differential" not in done.stdout
    assert client.wait(client.open_case("CLI-4").id).progress["classified"] == 8


def test_without_a_good_token_the_way_to_one_is_told(terminal: Terminal, folder: Path) -> None:
    for options in ([], ["--token", "hv_wrong"]):
        refused = terminal.run("upload", folder, "--case", "CLI-5", *options)
        assert refused.returncode == 2
        assert "hematovision login" in refused.stdout


def test_a_wrong_password_is_refused(terminal: Terminal) -> None:
    terminal.technician = {**terminal.technician, "password": "wrong"}
    refused = terminal.sign_in()
    assert refused.returncode == 2
    assert "wrong" in refused.stdout


def test_an_empty_folder_is_told(terminal: Terminal, tmp_path: Path) -> None:
    refused = terminal.run("upload", tmp_path, "--case", "CLI-6", "--token", "hv_any")
    assert refused.returncode == 2
    assert "no image" in refused.stdout


def test_the_demo_uses_the_running_product_again_and_again(
    stack: RunningStack, terminal: Terminal, folder: Path
) -> None:
    for number in (1, 2):
        shown = terminal.run("demo", "--once", "--images", folder, **{f"{PREFIX}HOME": str(stack.home)})
        assert shown.returncode == 0, shown.stdout
        assert "already running" in shown.stdout, number
        assert "Accuracy:" in shown.stdout
        assert "Classified: 8 of 8" in shown.stdout
        assert "technician@demo.example" in shown.stdout
        assert "drawn by a program" not in shown.stdout
    assert stack.stack.alive()


def test_the_demo_fails_when_an_image_is_not_classified(
    stack: RunningStack, terminal: Terminal, tmp_path: Path
) -> None:
    folder = tmp_path / CELL_LABELS[0]
    folder.mkdir()
    cells.draw(CELL_LABELS[0], 1).save(folder / "good.png")
    (folder / "bad.png").write_text("not a picture")
    shown = terminal.run("demo", "--once", "--images", folder, **{f"{PREFIX}HOME": str(stack.home)})
    assert shown.returncode == 1
    assert "bad.png" in shown.stdout
    assert "Classified: 1 of 2" in shown.stdout
