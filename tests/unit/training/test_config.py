"""training.config: what an experiment file may say, and what is said of an invalid one."""

from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from training.config import Range, Stage, load_experiment, load_search, value_of, with_settings
from training.errors import TrainingError

SHIPPED = Path(__file__).parents[3] / "training" / "experiments"


@pytest.fixture
def written(tmp_path: Path):
    """Writes the shipped experiment with some settings changed; `...` removes one."""

    def write(**changes: object) -> Path:
        document = yaml.safe_load((SHIPPED / "lite0.yaml").read_text())
        for dotted, value in changes.items():
            *parents, last = dotted.split("__")
            section = document
            for parent in parents:
                section = section[parent]
            if value is ...:
                section.pop(last, None)
            else:
                section[last] = deepcopy(value)
        path = tmp_path / "experiment.yaml"
        path.write_text(yaml.safe_dump(document))
        return path

    return write


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_experiment_is_valid_and_named_after_its_file(path: Path) -> None:
    assert load_experiment(path).name == path.stem


def test_values_have_their_types(written) -> None:
    stages = [{"size": 96, "epochs": 2, "batch": 8}]
    experiment = load_experiment(written(optimiser__dropout=0, optimiser__stages_averaged=1, stages=stages))
    assert experiment.stages == (Stage(size=96, epochs=2, batch=8),)
    assert isinstance(experiment.optimiser.dropout, float)
    assert isinstance(experiment.data.root, Path)


def test_a_shortened_experiment_averages_no_stages() -> None:
    whole, stages = load_experiment(SHIPPED / "lite0.yaml"), (Stage(size=96, epochs=2, batch=8),)
    assert whole.optimiser.stages_averaged > 1
    assert whole.shortened(stages).stages == stages
    assert whole.shortened(stages).optimiser.stages_averaged == 1


def test_optional_settings_may_be_left_out(written) -> None:
    assert load_experiment(written(backbone__weights=...)).backbone.weights is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seed": ...}, "setting 'seed' is missing"),
        ({"optimiser__momentum": 0.9}, "optimiser: unknown setting 'momentum'; known are learning_rate"),
        ({"seed": "seven"}, "seed: expected int, found 'seven'"),
        ({"seed": True}, "seed: expected int, found True"),
        ({"stages": [{"size": 96, "epochs": 1, "batch": 8, "batch_norm": 1}]}, "expected bool, found 1"),
        ({"stages": []}, "stages is empty"),
        ({"stages": {"size": 96}}, "stages: expected a list"),
        ({"stages": [{"size": 96, "epochs": 0, "batch": 8}]}, "must be at least 1"),
        ({"stages": [{"size": 96, "epochs": 1, "batch": 8, "unfrozen": 1.5}]}, "unfrozen of a stage must be"),
        (
            {"stages": [{"size": 96, "epochs": 1, "batch": 8, "variation": -1}]},
            "variation of a stage must be",
        ),
        ({"optimiser__learning_rate": 0}, r"optimiser: learning_rate must be above 0"),
        ({"optimiser__dropout": 1.0}, "dropout must be at least 0 and below 1"),
        ({"optimiser__stages_averaged": 0}, "stages_averaged must be from 1"),
        ({"optimiser__patience": 0}, "patience must be at least 1"),
        ({"data": "pbc"}, "data: expected settings by name"),
    ],
)
def test_a_wrong_setting_is_named(written, changes: dict[str, object], says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        load_experiment(written(**changes))


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"absent\.yaml: No such file"):
        load_experiment(tmp_path / "absent.yaml")
    broken = tmp_path / "broken.yaml"
    for content, says in (
        ("name: [", "not valid YAML"),
        ("", "expected settings by name"),
        ("- 1", "by name"),
    ):
        broken.write_text(content)
        with pytest.raises(TrainingError, match=says):
            load_experiment(broken)
    broken.write_bytes(b"name: \xe9")
    with pytest.raises(TrainingError, match="not valid YAML"):
        load_experiment(broken)


def test_an_experiment_survives_being_written(written, tmp_path: Path) -> None:
    experiment = load_experiment(written())
    (tmp_path / "again.yaml").write_text(yaml.safe_dump(experiment.as_dict()))
    assert load_experiment(tmp_path / "again.yaml") == experiment


def test_settings_are_read_and_changed_by_dotted_names(written) -> None:
    experiment = load_experiment(written(optimiser__dropout=0.2))
    assert value_of(experiment, "optimiser.dropout") == 0.2
    changed = with_settings(experiment, {"optimiser.dropout": 0.4, "backbone.name": "resnet50"})
    assert (changed.optimiser.dropout, changed.backbone.name) == (0.4, "resnet50")
    assert (
        with_settings(changed, {"optimiser.dropout": 0.2, "backbone.name": experiment.backbone.name})
        == experiment
    )
    with pytest.raises(TrainingError, match="dropout: expected float, found 'much'"):
        with_settings(experiment, {"optimiser.dropout": "much"})
    for name in ("optimiser.momentum", "optimiser", "dropout", "stages.0"):
        with pytest.raises(TrainingError, match=f"no setting '{name}'"):
            value_of(experiment, name)


SEARCH = {
    "epochs": 20,
    "stages": [{"size": 96, "epochs": 4, "batch": 32}],
    "space": {
        "optimiser.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "optimiser.warmup_steps": {"low": 10, "high": 1000},
        "backbone.name": {"choices": ["efficientnet_lite0", "efficientnet_lite1"]},
    },
}


def test_a_search_is_read_and_is_no_part_of_the_experiment(written) -> None:
    path = written(search=SEARCH)
    search = load_search(path)
    assert (search.epochs, search.stages) == (20, (Stage(size=96, epochs=4, batch=32),))
    assert search.space["optimiser.learning_rate"] == Range(low=1e-4, high=1e-2, log=True)
    assert load_experiment(path) == load_experiment(written(search=...))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"search": ...}, "has no section search"),
        ({"search__epochs": 0}, "epochs must be at least 1"),
        ({"search__stages": []}, "search: stages is empty"),
        ({"search__space": {}}, "space is empty"),
        ({"search__space": ["optimiser.dropout"]}, "space: expected settings by name"),
        ({"search__space": {"optimiser.momentum": {"low": 0, "high": 1}}}, "no setting 'optimiser.momentum'"),
        ({"search__space": {"optimiser.dropout": {"low": 0.5, "high": 0.1}}}, "give low and a higher high"),
        (
            {"search__space": {"optimiser.dropout": {"low": 0, "high": 0.5, "log": True}}},
            "above 0 where log is",
        ),
        ({"search__space": {"optimiser.dropout": {"low": 0, "choices": []}}}, "or choices"),
        ({"search__space": {"optimiser.dropout": {"low": 0, "high": 1}}}, "below 1"),
        (
            {"search__space": {"optimiser.dropout": {"low": 0.6, "high": 0.9}}},
            "leaves out the experiment's own",
        ),
        (
            {"search__space": {"backbone.name": {"choices": ["efficientnet_lite0", 7]}}},
            "expected str, found 7",
        ),
    ],
)
def test_a_wrong_search_is_named(written, changes: dict[str, object], says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        load_search(written(**{"search": SEARCH, **changes}))
