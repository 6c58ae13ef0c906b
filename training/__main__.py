"""Command line: ``python -m training train|export|evaluate``."""

import json
import logging
import os
import sys
from pathlib import Path
from typing import Annotated

# Before TensorFlow is first imported: its start-up notes are of no use to a reader.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import typer

from serving.contract import ModelFolderError
from training.config import load_experiment
from training.data import load_images
from training.errors import TrainingError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

RunsOption = Annotated[Path, typer.Option(help="Folder for runs and the cache of decoded images.")]


@app.command()
def train(experiment: Path, runs: RunsOption = Path("runs")) -> None:
    """Train an EXPERIMENT (a YAML file), or go on with an interrupted one."""
    settings = load_experiment(experiment)  # before TensorFlow, whose import takes seconds
    from training.train import train as run_training

    print(run_training(settings, runs))


@app.command()
def export(run: Path, target: Path) -> None:
    """Calibrate a RUN folder and write it to TARGET, such as serving/models/hematovision/1."""
    from training.export import export as run_export

    run_export(run, target)
    print(target)


@app.command()
def evaluate(
    version: Path,
    data: Annotated[Path, typer.Option(help="Folder of labelled images.")],
    split: Annotated[str | None, typer.Option(help="train, val or test; default: every image.")] = None,
    parity: Annotated[bool, typer.Option("--parity", help="Compare with the SavedModel too.")] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Keep the result in the version's model.json.")
    ] = False,
    runs: RunsOption = Path("runs"),
) -> None:
    """Score a VERSION folder on labelled images."""
    from training import evaluate as evaluation

    result = evaluation.evaluate(version, load_images(data), split, runs / "cache", with_parity=parity)
    print(json.dumps(result, indent=2))
    if record:
        evaluation.record(version, data.name if split is None else f"{data.name}_{split}", result)


def main() -> int:
    """Run the command line; 1 with a message on stderr for what a user can mend."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("training").setLevel(logging.INFO)
    try:
        app()
    except (TrainingError, ModelFolderError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
