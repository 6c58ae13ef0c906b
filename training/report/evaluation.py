"""An evaluation to read: for people a page with pictures and curves and a model card, for programs JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup

from serving.contract import CELL_CLASSES, ModelInfo
from training.errors import TrainingError
from training.evaluation.comparison import Baselines, Compared, compare, identity
from training.evaluation.evaluate import Evaluation, SetEvaluation
from training.report import charts
from training.report.render import cell_class, decimal, environment

HERE = Path(__file__).parent
MODEL_CARD = "MODEL_CARD.md"
ABBREVIATIONS = {one.code: one.short for one in CELL_CLASSES}


@dataclass(frozen=True)
class DataSet:
    """What is known of a set of images beside its pixels."""

    title: str
    about: str
    caution: str


@dataclass(frozen=True)
class Report:
    """All that a report says.

    Attributes:
        evaluation: of the version.
        comparison: the version and simpler models; empty where none were scored.
        formats: one row for each form the version could ship in: values by the names of columns.
    """

    evaluation: Evaluation
    comparison: Sequence[Compared] = ()
    formats: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of(cls, evaluation: Evaluation, *, baselines: Path | None, formats: Path | None) -> "Report":
        """Of an evaluation and, where there are any, the files that `baselines` and `formats` wrote.

        Raises:
            TrainingError: a file cannot be read, the baselines were scored on other images, or the forms are
                of another version.
        """
        return cls(
            evaluation=evaluation,
            comparison=compare(evaluation, Baselines.load(baselines)) if baselines else (),
            formats=_read_formats(formats, evaluation.info) if formats else (),
        )

    def document(self) -> dict[str, Any]:
        """Every score and curve as JSON holds it: no pictures."""
        document = asdict(self)
        evaluation, info = document["evaluation"], document["evaluation"]["info"]
        evaluation["evaluated_at"] = self.evaluation.evaluated_at.isoformat()
        kept = ("name", "version", "labels", "temperature", "review_threshold", "fingerprints")
        evaluation["info"] = {key: info[key] for key in kept}
        for evaluated in evaluation["sets"]:
            for shown in (*evaluated["mistakes"], *evaluated["examples"]):
                del shown["picture"]
        return document

    def html(self) -> str:
        """One page that needs nothing else: styles, charts and pictures are inside."""
        return self._render(
            "report.html",
            charts={one.name: _charts(one, which) for which, one in enumerate(self.evaluation.sets)},
            roc=_roc(self.evaluation),
            colour_of=charts.colour_of,
            swatch=charts.swatch,
        )

    def model_card(self) -> str:
        """A model card (Mitchell et al., FAT* 2019) in Markdown, without charts or pictures of cells."""
        return self._render("model_card.md")

    def _render(self, template: str, **more: object) -> str:
        described = _data_sets()
        return (
            environment(template)
            .get_template(template)
            .render(
                evaluation=self.evaluation,
                info=self.evaluation.info,
                sets=self.evaluation.sets,
                comparison=self.comparison,
                formats=self.formats,
                described={
                    one.name: described.get(one.data) or _unknown(one) for one in self.evaluation.sets
                },
                abbreviations=ABBREVIATIONS,
                **more,
            )
        )


def write(report: Report, parent: Path) -> Path:
    """Write report.html, evaluation.json and MODEL_CARD.md into `parent`/<name>-<version>; the page's path.

    The page shows pictures of cells: share it as their licence allows.
    """
    info = report.evaluation.info
    folder = parent / f"{info.name}-{info.version}"
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "report.html": report.html(),
        "evaluation.json": json.dumps(report.document(), indent=2, allow_nan=False) + "\n",
        MODEL_CARD: report.model_card(),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "report.html"


def _read_formats(path: Path, info: ModelInfo) -> list[dict[str, Any]]:
    again = f"`python -m training formats {info.name}/{info.version}` makes it."
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if (of := {key: document[key] for key in identity(info)}) != identity(info):
            raise TrainingError(
                f"{path} is of {of['version']}, trained {of['trained_at']}, not of this version. {again}"
            )
        rows: list[dict[str, Any]] = [dict(row) for row in document["forms"]]
    except OSError as error:
        raise TrainingError(f"Cannot read {path}: {error.strerror}. {again}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path} holds no forms ({error!r}). {again}") from error
    return rows


def _data_sets() -> dict[str, DataSet]:
    known = yaml.safe_load((HERE / "data_sets.yaml").read_text(encoding="utf-8"))
    return {name: DataSet(**values) for name, values in known.items()}


def _unknown(evaluated: SetEvaluation) -> DataSet:
    return DataSet(evaluated.data, "", "")


def _charts(evaluated: SetEvaluation, which: int) -> dict[str, Markup]:
    """The charts of one set of images, which has this number."""
    name, review = evaluated.name, evaluated.scores.review
    rule = None
    if review.coverage.value is not None and review.unflagged_accuracy.value is not None:
        rule = (review.coverage.value, 1 - review.unflagged_accuracy.value)
    return {
        "reliability": charts.reliability_diagram(
            evaluated.scores.calibration, f"Reliability, {name}", which
        ),
        "risk_coverage": charts.risk_coverage_curve(
            review.risk_coverage, rule, f"Risk and coverage, {name}", which
        ),
    }


def _roc(evaluation: Evaluation) -> dict[str, Markup]:
    """The ROC curves of each class on every set, by the class's name."""
    drawn = {}
    for index, label in enumerate(evaluation.info.labels):
        of_class = [(which, one.scores.by_class[index]) for which, one in enumerate(evaluation.sets)]
        areas = [
            f"{evaluation.sets[which].name}: area {decimal(scores.roc_auc.value)}"
            for which, scores in of_class
        ]
        curves = [(which, scores.roc_curve) for which, scores in of_class if scores.roc_curve]
        name = cell_class(label).capitalize()
        drawn[name] = charts.roc_curves(curves, f"ROC, {name}", "; ".join(areas))
    return drawn
