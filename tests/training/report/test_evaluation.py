"""An evaluation of laid-down answers on drawn cells, and what its report, card and JSON say of it."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from serving.contract import CELL_LABELS, ModelInfo
from tests.support.answers import Answer, Answers, version
from training.data.images import load_images
from training.errors import TrainingError
from training.evaluation.comparison import Baselines, Compared, SetScores, identity
from training.evaluation.evaluate import Evaluation, ImageSet, evaluate_set, key_scores, record
from training.evaluation.intervals import Estimate
from training.report.evaluation import Report, write

EACH = 10


def draw(root: Path, classes: Sequence[int]) -> Path:
    """Cells like nothing in blood, but no two alike: EACH of each class."""
    random = np.random.default_rng(len(classes))
    for label in classes:
        (root / CELL_LABELS[label]).mkdir(parents=True)
        for index in range(EACH):
            noise = random.integers(0, 12, (56, 56, 3), dtype=np.uint8)
            image = Image.fromarray(noise + np.array([235, 215, 190], np.uint8)).resize((224, 224))
            for _ in range(6):
                x, y = random.integers(0, 224, 2)
                ImageDraw.Draw(image).ellipse((x, y, x + 40, y + 40), fill=(200, 156, 163))
            ImageDraw.Draw(image).ellipse((88, 88, 136, 136), fill=(74, 28, 130 - 5 * label))
            image.save(root / CELL_LABELS[label] / f"{index}.png")
    return root


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """The version's own lab: 80 cells, 3 wrong, one of those flagged. Another lab: 20, 8 wrong, 5 flagged."""
    root = tmp_path_factory.mktemp("data")
    own = load_images(draw(root / "pbc", range(8)))
    other = load_images(draw(root / "<north & co>", (2, 4)))
    info = version(fingerprints={"data": own.fingerprint, "code": "c" * 64})
    answers = [Answer(label) for label in own.labels]
    answers[0] = Answer(1, confidence=0.97)  # a basophil called an eosinophil, and not flagged
    answers[1] = Answer(3, confidence=0.95)
    answers[12] = Answer(0, confidence=0.6)
    answers[13] = replace(answers[13], distance=1.5)
    answers[14] = replace(answers[14], square=(1, 1))
    elsewhere = [Answer(label) for label in other.labels]
    elsewhere[:8] = [Answer(4, confidence=0.93 if index < 3 else 0.5) for index in range(8)]
    sets = (ImageSet(own, None, same_lab=True), ImageSet(other, None, same_lab=False))
    return Evaluation(
        info=info,
        evaluated_at=datetime(2026, 2, 1, tzinfo=UTC),
        code="e" * 64,
        sets=tuple(
            evaluate_set(info, Answers(given), Answers(given), chosen, root / "cache")
            for given, chosen in zip((answers, elsewhere), sets, strict=True)
        ),
    )


@pytest.fixture(scope="module")
def baselines(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One simpler model, scored on the first set."""
    half = SetScores(*[Estimate(0.512, 0.4, 0.6)] * 3)
    path = tmp_path_factory.mktemp("runs") / "baselines.json"
    Baselines(
        {"pbc": evaluation.sets[0].fingerprint}, (Compared("Coin", "thrown <twice>", {"pbc": half}),)
    ).save(path)
    return path


@pytest.fixture(scope="module")
def report(evaluation: Evaluation, baselines: Path) -> Report:
    return Report.of(evaluation, baselines=baselines, formats=None)


def text_of(html: str) -> str:
    """What a reader sees, on one line."""
    bare = re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", bare.replace("\N{NO-BREAK SPACE}", " "))


def test_key_scores_are_those_laid_down(evaluation: Evaluation) -> None:
    own, other = (key_scores(one) for one in evaluation.sets)
    assert own["accuracy"] == pytest.approx(77 / 80)
    assert own["coverage"] == pytest.approx(78 / 80)
    assert own["unflagged_accuracy"] == pytest.approx(76 / 78)
    assert own["mistakes_flagged"] == pytest.approx(1 / 3)
    assert own["by_class"]["basophil"] == {
        "images": 10,
        "precision": pytest.approx(8 / 9),
        "recall": pytest.approx(8 / 10),
        "f1": pytest.approx(16 / 19),
        "roc_auc": pytest.approx(own["by_class"]["basophil"]["roc_auc"]),
    }
    assert own["confusion"][0][:4] == [8, 1, 0, 1]
    assert own["evidence_peak_inside"] == pytest.approx(76 / 77)
    low, high = own["intervals"]["accuracy"]
    assert low < 77 / 80 < high
    assert own["parity"] == {
        "labels_agree": 1,
        "largest_difference": 0,
        "largest_distance_difference": 0,
    }
    assert other["accuracy"] == pytest.approx(12 / 20)
    assert other["mistakes_flagged"] == pytest.approx(5 / 8)
    assert other["by_class"]["platelet"]["recall"] is None
    assert (own["held_out"], other["held_out"]) == (False, True)


def test_the_page_needs_nothing_from_elsewhere(report: Report) -> None:
    page = report.html()
    assert not re.search(r"(?:src|href|url|@import)\W*(?:https?:)?//", page)
    assert "http" not in page
    assert all(source.startswith("data:image/jpeg;base64,") for source in re.findall(r'src="([^"]*)"', page))
    assert not re.findall(r"<(?:script|link|iframe)", page)


def test_the_page_says_the_scores_plainly(report: Report) -> None:
    text = text_of(report.html())
    assert "On 80 cells of the lab that it learned from, the version names 96.2 %" in text
    assert "Of its 3 mistakes, 33.3 %" in text
    assert "On 20 pictures of 20 cells of another lab, none of which it has learned from" in text
    assert "of the 2 classes that this set has" in text
    assert "the version names 60.0 %" in text
    assert "950 named correctly 25 named wrongly, and not flagged 25 flagged" in text
    assert "These images are part of what it learned from" in text  # every split was scored
    assert "Coin thrown &lt;twice&gt; 51.2 %" in text
    assert "not in this set" in text


def test_the_gallery_shows_first_what_nobody_would_look_at(evaluation: Evaluation, report: Report) -> None:
    worst = evaluation.sets[0].mistakes
    assert [(one.truth, one.suggestion, one.flagged) for one in worst] == [
        ("basophil", "eosinophil", False),
        ("basophil", "immature_granulocyte", False),
        ("eosinophil", "basophil", True),
    ]
    assert "Eosinophil , 97.0 % labelled basophil distance 0.50 not flagged" in text_of(report.html())


def test_names_from_outside_are_escaped(report: Report) -> None:
    assert "<north" not in report.html()
    assert "&lt;north &amp; co&gt;" in report.html()


def test_the_card_says_the_same_without_pictures(report: Report) -> None:
    card = report.model_card().replace("\N{NO-BREAK SPACE}", " ")
    assert "# Model card: hematovision 7" in card
    assert re.search(r"\| accuracy \| 96\.2 % \([\d.–]+\) \| 60\.0 %", card)
    assert re.search(r"\| basophil \| 10 \| 88\.9 % ", card)
    assert "| basophil | 7 | 1 | 2 |" in card  # train, validation, test
    assert "drawn by us" in card
    assert "below 0.900" in card
    assert "data:image" not in card


def test_tables_of_the_card_are_whole(report: Report) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", report.model_card(), flags=re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1, table


def test_all_is_written_and_the_json_has_every_score(report: Report, tmp_path: Path) -> None:
    page = write(report, tmp_path / "reports")
    assert page == tmp_path / "reports" / "hematovision-7" / "report.html"
    assert {path.name for path in page.parent.iterdir()} == {
        "report.html",
        "evaluation.json",
        "MODEL_CARD.md",
    }
    document = json.loads((page.parent / "evaluation.json").read_text())
    own = document["evaluation"]["sets"][0]
    assert own["scores"]["accuracy"]["value"] == pytest.approx(77 / 80)
    assert own["scores"]["by_class"][0]["roc_curve"][0] == [0, 0]
    assert own["mistakes"][0]["suggestion"] == "eosinophil"
    assert "picture" not in own["mistakes"][0]
    assert document["comparison"][-1]["name"] == "hematovision 7"


def test_baselines_of_other_images_are_not_shown(evaluation: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    Baselines({"pbc": "of other images"}, ()).save(path)
    with pytest.raises(TrainingError, match=r"other images than pbc has now.*baselines"):
        Report.of(evaluation, baselines=path, formats=None)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"fingerprints": {}, "models": [{"name": "x"}]}'])
def test_a_file_without_baselines_is_named(
    evaluation: Evaluation, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "baselines.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(TrainingError, match=r"baselines\.json.*python -m training baselines"):
        Report.of(evaluation, baselines=path, formats=None)


def test_forms_are_shown_as_they_were_measured(evaluation: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / "formats.json"
    forms = [{"form": "float16", "images_per_second": 331.26}, {"form": "int8"}]
    path.write_text(json.dumps({**identity(evaluation.info), "forms": forms}))
    text = text_of(Report.of(evaluation, baselines=None, formats=path).html())
    assert "Form Images per second float16 331.3 int8" in text


@pytest.mark.parametrize(
    "change", [{"version": "hematovision 41"}, {"trained_at": "2020-01-01T00:00:00+00:00"}]
)
def test_forms_of_another_version_are_not_shown(
    evaluation: Evaluation, tmp_path: Path, change: dict[str, str]
) -> None:
    path = tmp_path / "formats.json"
    path.write_text(json.dumps({**identity(evaluation.info), "forms": [], **change}))
    with pytest.raises(
        TrainingError, match=f"is of .*{next(iter(change.values()))[:16]}.*not of this version"
    ):
        Report.of(evaluation, baselines=None, formats=path)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"version": "hematovision 2"}'])
def test_a_file_without_forms_is_named(evaluation: Evaluation, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "formats.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(TrainingError, match=r"formats\.json.*python -m training formats"):
        Report.of(evaluation, baselines=None, formats=path)


def test_a_version_without_a_set_from_elsewhere_is_told_so(evaluation: Evaluation) -> None:
    alone = Report(replace(evaluation, sets=evaluation.sets[:1]))
    assert "No other lab's images were tried" in alone.model_card()
    assert "No other lab's images were tried" in alone.html()


def test_key_scores_are_kept_beside_others(evaluation: Evaluation, tmp_path: Path) -> None:
    folder = tmp_path / "7"
    folder.mkdir()
    version(metrics={"earlier": {"accuracy": 0.5}}).save(folder)
    record(folder, evaluation)
    kept = ModelInfo.load(folder).metrics
    assert kept["earlier"] == {"accuracy": 0.5}
    assert kept["pbc"] == json.loads(json.dumps(key_scores(evaluation.sets[0])))
