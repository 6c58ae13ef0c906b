"""training.config: what an experiment file may say, and how a wrong one is refused."""

from pathlib import Path

import pytest
import yaml

from training.config import Stage, load_experiment
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
                del section[last]
            else:
                section[last] = value
        path = tmp_path / "experiment.yaml"
        path.write_text(yaml.safe_dump(document))
        return path

    return write


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_experiment_is_valid_and_named_after_its_file(path: Path) -> None:
    assert load_experiment(path).name == path.stem


def test_values_have_their_types(written) -> None:
    experiment = load_experiment(
        written(optimiser__dropout=0, stages=[{"size": 96, "epochs": 2, "batch": 8}])
    )
    assert experiment.stages == (Stage(size=96, epochs=2, batch=8),)
    assert isinstance(experiment.optimiser.dropout, float)
    assert isinstance(experiment.data.root, Path)


def test_optional_settings_may_be_left_out(written) -> None:
    assert load_experiment(written(backbone__weights=...)).backbone.weights is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seed": ...}, "setting 'seed' is missing"),
        ({"optimiser__momentum": 0.9}, "optimiser: unknown setting 'momentum'; known are learning_rate"),
        ({"seed": "seven"}, "seed: expected int, found 'seven'"),
        ({"seed": True}, "seed: expected int, found True"),
        ({"backbone__freeze_batch_norm": 1}, "freeze_batch_norm: expected bool, found 1"),
        ({"stages": []}, "stages is empty"),
        ({"stages": {"size": 96}}, "stages: expected a list"),
        ({"stages": [{"size": 96, "epochs": 0, "batch": 8}]}, "must be at least 1"),
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
    broken.write_text("name: [")
    with pytest.raises(TrainingError, match="not valid YAML"):
        load_experiment(broken)
