"""`hematovision model` retrain and commission: what training is told, and what becomes of its version."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from infra.commands import model
from infra.commands.cli import app
from infra.local.config.settings import PREFIX
from infra.local.errors import StackError
from serving.contract import MODEL_NAME

ROOT = Path(__file__).parents[4]
LAB = "lab-5f3a"
# Stands for `python -m training`: notes what it was told, then writes a version, or ends with a code.
TRAINING = f"""\
#!{sys.executable}
import json, sys, time
from pathlib import Path
here = Path(__file__).parent
(here / "told.json").write_text(json.dumps(sys.argv[1:]))
outcome = json.loads((here / "outcome.json").read_text())
if outcome == "wait":
    try:
        print("learning", flush=True)
        time.sleep(30)
    except KeyboardInterrupt:
        (here / "saved").touch()
        sys.exit(1)
if outcome:
    print("The reason.", file=sys.stderr)
    sys.exit(outcome)
target = Path(sys.argv[sys.argv.index("--to") + 1])
target.mkdir(parents=True)
"""


class World:
    """A registry that answers as it is told, and a training environment that does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.managed: list[tuple[str, ...]] = []
        self.stumble: StackError | None = None
        self.base: str | None = str(folder / "models" / MODEL_NAME / "2")
        training = folder / "training-python"
        training.write_text(TRAINING)
        training.chmod(0o700)
        self.env = {f"{PREFIX}HOME": str(folder / "home"), f"{PREFIX}TRAINING_PYTHON": str(training)}
        self.training_does(0)
        for name in ("images", "data"):
            (folder / name).mkdir()
        (folder / "labels.csv").write_text("file,label\n")

    def training_does(self, outcome: int | str) -> None:
        (self.folder / "outcome.json").write_text(json.dumps(outcome))

    @property
    def told(self) -> list[str]:
        told: list[str] = json.loads((self.folder / "told.json").read_text())
        return told

    def manage(self, *arguments: str) -> str:
        self.managed.append(arguments)
        if arguments[0] == "list_models":
            base = {"name": MODEL_NAME, "lab": None, "folder": self.base, "next": 3}
            own = {"name": LAB, "lab": "Northern lab", "folder": None, "next": 1}
            return json.dumps([base, own] if len(arguments) > 1 else [base])
        if self.stumble:
            raise self.stumble
        return "Published."

    def run(self, command: str, *arguments: str) -> Result:
        given = ["--labels", str(self.folder / "labels.csv"), "--images", str(self.folder / "images")]
        if command == "retrain":
            given += ["--data", str(self.folder / "data")]
        return CliRunner().invoke(app, ["model", command, *given, *arguments], env=self.env)

    def made(self, name: str, number: int) -> Path:
        return self.folder / "home" / "training" / "made" / name / str(number)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)
    monkeypatch.setattr(model, "_manage", world.manage)
    return world


def option(told: list[str], name: str) -> str:
    return told[told.index(name) + 1]


def test_what_was_retrained_is_published(world: World) -> None:
    done = world.run("retrain")
    assert done.exit_code == 0, done.output
    assert world.told[:3] == ["-m", "training", "retrain"]
    assert option(world.told, "--from") == world.base
    assert option(world.told, "--to") == str(world.made(MODEL_NAME, 3))
    assert option(world.told, "--data") == str(world.folder / "data")
    assert world.managed[-1] == ("publish_model", str(world.made(MODEL_NAME, 3)))
    assert not world.made(MODEL_NAME, 3).exists()  # served from a copy


def test_a_commissioned_version_goes_to_its_lab_and_starts_from_the_base_model(world: World) -> None:
    done = world.run("commission", "--lab", "Northern lab", "--minimum", "0.9")
    assert done.exit_code == 0, done.output
    assert option(world.told, "--from") == world.base
    assert option(world.told, "--to") == str(world.made(LAB, 1))
    assert option(world.told, "--report") == str(world.folder / "home" / "reports")
    assert option(world.told, "--minimum") == "0.9"
    assert world.managed[-1] == ("publish_model", str(world.made(LAB, 1)), "--lab=Northern lab")


@pytest.mark.parametrize(("outcome", "code"), [(3, 3), (1, 2)])
def test_what_was_refused_or_failed_is_not_published(world: World, outcome: int, code: int) -> None:
    world.training_does(outcome)
    done = world.run("commission", "--lab", "Northern lab")
    assert done.exit_code == code
    assert "Nothing was published" in done.output
    assert [arguments[0] for arguments in world.managed] == ["list_models", "list_models"]


def test_a_version_that_cannot_be_published_is_kept_and_the_way_on_is_told(world: World) -> None:
    world.stumble = StackError("HematoVision is not running.")
    done = world.run("commission", "--lab", "Northern lab")
    assert done.exit_code == 2
    said = " ".join(done.output.split())
    by_hand = f"hematovision model publish {world.made(LAB, 1)} '--lab=Northern lab'"
    assert by_hand in said
    assert "HematoVision is not running." in said

    again = world.run("commission", "--lab", "Northern lab")
    assert again.exit_code == 2
    assert "was made earlier and not published" in again.output
    assert by_hand in " ".join(again.output.split())


def test_without_a_training_environment_the_way_to_one_is_told(world: World) -> None:
    world.env[f"{PREFIX}TRAINING_PYTHON"] = str(world.folder / "nothing")
    done = world.run("retrain")
    assert done.exit_code == 2
    assert "make training" in done.output
    assert f"{PREFIX}TRAINING_PYTHON" in done.output


def test_without_a_published_version_there_is_nothing_to_start_from(world: World) -> None:
    world.base = None
    done = world.run("retrain")
    assert done.exit_code == 2
    assert "Name one with --from" in done.output


def test_an_interrupted_training_ends_by_itself_and_is_not_published(world: World) -> None:
    world.training_does("wait")
    answer = json.dumps([{"name": MODEL_NAME, "lab": None, "folder": "/x", "next": 3}])
    script = (
        "from infra.commands import model; from infra.commands.cli import app;"
        f"model._manage = lambda *arguments: {answer!r}; app()"
    )
    given = ["--labels", world.folder / "labels.csv", "--images", world.folder / "images"]
    process = subprocess.Popen(
        [sys.executable, "-c", script, "model", "retrain", *map(str, given), "--data", str(world.folder)],
        env={**os.environ, **world.env},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # Tests in the background of a shell pass on that Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "learning\n"
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted" in said
    assert (world.folder / "saved").exists()
