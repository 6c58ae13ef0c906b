"""Command line: ``python -m training COMMAND``; ``--help`` lists the commands."""

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
from training.config import load_experiment, load_search
from training.data.images import load_images
from training.errors import TrainingError
from training.files import write_whole

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

EXPERIMENTS = Path(__file__).parent / "experiments"

RunsOption = Annotated[Path, typer.Option(help="Folder for runs and the cache of decoded images.")]


@app.command()
def train(experiment: Path, runs: RunsOption = Path("runs")) -> None:
    """Train an EXPERIMENT (a YAML file), or go on with an interrupted one."""
    settings = load_experiment(experiment)  # before TensorFlow, whose import takes seconds
    from training.fitting.loop import train as run_training

    print(run_training(settings, runs))


@app.command()
def export(run: Path, target: Path) -> None:
    """Calibrate a RUN folder and write it to TARGET, such as runs/hematovision/5."""
    from training.export.export import export as run_export

    run_export(run, target)
    print(target)


@app.command()
def evaluate(
    version: Path,
    data: Annotated[Path, typer.Option(help="Labelled images of the lab that the version learned from.")],
    split: Annotated[
        str | None, typer.Option(help="Of --data: train, val or test; default: every image.")
    ] = None,
    other_lab: Annotated[
        list[Path] | None, typer.Option(help="Labelled images of another lab; may be repeated.")
    ] = None,
    parity: Annotated[bool, typer.Option("--parity", help="Compare with the SavedModel too.")] = False,
    baselines: Annotated[
        Path | None, typer.Option(help="What `baselines` wrote: simpler models to compare with.")
    ] = None,
    formats: Annotated[
        Path | None, typer.Option(help="What `formats` wrote: the forms the version could ship in.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder for <name>-<version>/report.html and its kin.")
    ] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Keep key scores and model card in the version's folder.")
    ] = False,
    runs: RunsOption = Path("runs"),
) -> None:
    """Score a VERSION folder on labelled images."""
    from training.evaluation import evaluate as evaluation
    from training.report.evaluation import MODEL_CARD, Report, write

    sets = [evaluation.ImageSet(load_images(data), split, same_lab=True)]
    sets += [evaluation.ImageSet(load_images(folder), None, same_lab=False) for folder in other_lab or ()]
    result = evaluation.evaluate(version, sets, runs / "cache", with_parity=parity)
    written = Report.of(result, baselines=baselines, formats=formats)
    print(json.dumps({one.name: evaluation.key_scores(one) for one in result.sets}, indent=2))
    if record:
        evaluation.record(version, result)
        (version / MODEL_CARD).write_text(written.model_card(), encoding="utf-8")
    if report:
        print(write(written, report))


@app.command()
def baselines(
    data: Annotated[Path, typer.Option(help="Labelled images with the splits train, val and test.")],
    other_lab: Annotated[
        list[Path] | None, typer.Option(help="Labelled images of another lab; may be repeated.")
    ] = None,
    small_cnn: Annotated[Path, typer.Option(help="Experiment of a small network from scratch.")] = EXPERIMENTS
    / "small_cnn.yaml",
    frozen: Annotated[
        Path, typer.Option(help="Experiment whose backbone is tried as it comes, without fine-tuning.")
    ] = EXPERIMENTS / "lite0.yaml",
    runs: RunsOption = Path("runs"),
) -> None:
    """Score simpler models on the test split, and keep it in RUNS/baselines.json for `evaluate`."""
    experiments = load_experiment(small_cnn), load_experiment(frozen)
    from training.studies.baselines import score_baselines

    print(score_baselines(data, other_lab or [], *experiments, runs))


@app.command()
def formats(
    version: Path,
    data: Annotated[Path, typer.Option(help="Labelled images with the splits train, val and test.")],
    split: str = "test",
    runs: RunsOption = Path("runs"),
) -> None:
    """Compare the forms that a VERSION folder could ship in, and keep the table in RUNS/formats.json."""
    from training.studies.formats import compare_formats

    table = compare_formats(version, load_images(data), split, runs / "cache")
    text = json.dumps(table, indent=2) + "\n"
    write_whole(runs / "formats.json", text)
    print(text, end="")


FromOption = Annotated[Path, typer.Option("--from", help="The version folder to go on from.")]
LabelsOption = Annotated[Path, typer.Option(help="CSV of image and label.")]
ImagesOption = Annotated[Path, typer.Option(help="Folder that the images of --labels are relative to.")]
ToOption = Annotated[Path, typer.Option("--to", help="The version folder to write, named by its number.")]


@app.command()
def retrain(
    base: FromOption,
    labels: LabelsOption,
    images: ImagesOption,
    data: Annotated[Path, typer.Option(help="The labelled images that the version was trained on.")],
    target: ToOption,
    experiment: Annotated[Path, typer.Option(help="How to learn.")] = EXPERIMENTS / "retrain.yaml",
    runs: RunsOption = Path("runs"),
) -> None:
    """Fine-tune a version on reviewed labels among its base data."""
    settings = load_experiment(experiment)
    known, reviewed = load_images(data), load_images(images, table=labels, least_classes=1)
    from training.adaptation.retrain import retrain as run_retraining

    info = run_retraining(base, settings, known, reviewed, target, runs)
    print(json.dumps(info.metrics, indent=2))


@app.command()
def commission(
    base: FromOption,
    labels: LabelsOption,
    images: ImagesOption,
    target: ToOption,
    report: Annotated[Path, typer.Option(help="Folder for the report.")],
    minimum: Annotated[
        float, typer.Option(min=0, max=1, help="Accuracy on unseen cells below which nothing is written.")
    ] = 0.85,
    experiment: Annotated[Path, typer.Option(help="How to adapt.")] = EXPERIMENTS / "commission.yaml",
    runs: RunsOption = Path("runs"),
) -> None:
    """Adapt a version to another lab's slides; exit code 3 where it is not right often enough."""
    settings = load_experiment(experiment)
    cells = load_images(images, table=labels)
    from training.adaptation.commission import commission as run_commissioning
    from training.report.commissioning import write_report

    findings = run_commissioning(base, settings, cells, target, runs, minimum=minimum)
    print(write_report(findings, target, report))
    if not findings["accepted"]:
        print(
            f"Not commissioned: {findings['accuracy']:.1%} of unseen cells right, {minimum:.1%} asked for. "
            "Give more cells, up to 20 of each class, and check their labels.",
            file=sys.stderr,
        )
        raise typer.Exit(3)


@app.command()
def draws(
    version: Path,
    labels: Annotated[Path, typer.Option(help="Labelled images of another lab.")],
    per_class: Annotated[int, typer.Option(min=5, help="Cells of each class that the lab gives.")] = 20,
    draws: Annotated[int, typer.Option(min=1, help="How often they are drawn.")] = 5,
    experiment: Annotated[Path, typer.Option(help="How to adapt.")] = EXPERIMENTS / "commission.yaml",
    runs: RunsOption = Path("runs"),
) -> None:
    """Commission a VERSION on drawn cells and score it on all others; kept in RUNS/draws.json."""
    settings = load_experiment(experiment)
    cells = load_images(labels)
    from training.studies.draws import score_draws

    print(score_draws(version, settings, cells, per_class, draws, runs).read_text(encoding="utf-8"), end="")


@app.command()
def folds(
    experiment: Path,
    folds: Annotated[int, typer.Option(min=2, help="Parts that the images outside the test split make.")] = 5,
    runs: RunsOption = Path("runs"),
) -> None:
    """Train an EXPERIMENT once for each fold, and sum up the scores in RUNS/<name>-folds<n>.json."""
    settings = load_experiment(experiment)
    from training.studies.folds import cross_validate

    print(cross_validate(settings, folds, runs))


@app.command()
def search(experiment: Path, runs: RunsOption = Path("runs")) -> None:
    """Look for better settings of an EXPERIMENT, as its section `search` says, and write the best found."""
    settings, plan = load_experiment(experiment), load_search(experiment)
    from training.studies.search import search as run_search

    print(run_search(settings, plan, runs))


@app.command()
def ablation(
    experiment: Path,
    other_lab: Annotated[Path, typer.Option(help="Labelled images of another lab.")],
    size: Annotated[int, typer.Option(min=32, help="Side of the pictures, pixels.")] = 140,
    epochs: Annotated[int, typer.Option(min=1, help="Of the whole network, after one of its head.")] = 2,
    runs: RunsOption = Path("runs"),
) -> None:
    """Show in short runs what each defence against other labs' slides brings; kept in RUNS/ablation.json."""
    settings = load_experiment(experiment)
    home, other = load_images(settings.data.root, seed=settings.seed), load_images(other_lab)
    from training.studies.ablation import ablate, short_stages

    print(ablate(settings, short_stages(size, epochs), home, other, runs).read_text(encoding="utf-8"), end="")


def main() -> int:
    """Run the command line; 1 with a message on stderr for what a user can mend."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("training").setLevel(logging.INFO)
    # What it warns of, such as a function traced anew for each trial of a search, is of no use to a reader.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        app()
    except (TrainingError, ModelFolderError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
