"""Which version answers, as folders come, change and go."""

import asyncio
import json
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import grpc
import pytest

from serving.contract import MODEL_FILE, MODEL_JSON
from serving.embedded import limits
from serving.embedded import repository as repository_module
from serving.embedded.errors import RequestError
from serving.embedded.model import LoadedModel
from serving.embedded.repository import ModelRepository, Source
from serving.manifest import Files
from tests.support.tiny_model import make_version

NAME = "hematovision"
Scenario = Callable[[ModelRepository, Path], Coroutine[Any, Any, None]]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Scenario], None]:
    """Run a scenario with a repository over an empty base; new folders count as complete at once."""
    monkeypatch.setattr(limits, "SETTLE_S", 0)

    def play(scenario: Scenario) -> None:
        async def main() -> None:
            await scenario(ModelRepository(tmp_path, threads=1, publisher=None), tmp_path / NAME)

        asyncio.run(main())

    return play


def states(repository: ModelRepository) -> dict[int, int]:
    return {number: int(version.state) for number, version in repository.versions(NAME).items()}


AVAILABLE, START, END = 30, 10, 50


def test_the_newest_version_answers(play: Callable[[Scenario], None]) -> None:
    async def scenario(repository: ModelRepository, models: Path) -> None:
        assert not repository.any_available()
        for version in (2, 10, 9):
            make_version(models, version)
        await repository.sync()

        assert repository.get(NAME).info.version == 10
        assert states(repository) == {10: AVAILABLE}
        with pytest.raises(RequestError) as refusal:
            repository.get(NAME, 9)
        assert refusal.value.code == grpc.StatusCode.NOT_FOUND

    play(scenario)


def test_a_broken_version_is_passed_over_until_it_changes(play: Callable[[Scenario], None]) -> None:
    async def scenario(repository: ModelRepository, models: Path) -> None:
        make_version(models, 1)
        broken = make_version(models, 2)
        good = (broken / MODEL_FILE).read_bytes()
        (broken / MODEL_FILE).write_bytes(good[:100])
        await repository.sync()

        assert repository.get(NAME).info.version == 1
        assert states(repository) == {1: AVAILABLE, 2: END}
        assert "cannot be used" in repository.versions(NAME)[2].error

        (broken / MODEL_FILE).write_bytes(good)
        await repository.sync()
        assert repository.get(NAME).info.version == 2
        assert states(repository) == {1: END, 2: AVAILABLE}
        assert repository.versions(NAME)[2].error == ""

    play(scenario)


def test_a_broken_version_is_not_loaded_again_and_again(
    play: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = []

    def load(folder: Path, *, threads: int, published: Files | None) -> LoadedModel:
        loads.append(folder)
        return LoadedModel(folder, threads=threads, published=published)

    monkeypatch.setattr(repository_module, "LoadedModel", load)

    async def scenario(repository: ModelRepository, models: Path) -> None:
        (make_version(models, 1) / MODEL_JSON).write_text("{}")
        for _ in range(3):
            await repository.sync()
        assert len(loads) == 1

    play(scenario)


def test_an_incomplete_folder_waits(play: Callable[[Scenario], None]) -> None:
    async def scenario(repository: ModelRepository, models: Path) -> None:
        make_version(models, 1)
        model = make_version(models, 2) / MODEL_FILE
        content = model.read_bytes()
        model.unlink()
        await repository.sync()
        assert states(repository) == {1: AVAILABLE, 2: START}

        model.write_bytes(content)
        await repository.sync()
        assert repository.get(NAME).info.version == 2

    play(scenario)


def test_a_folder_that_has_just_changed_waits(tmp_path: Path) -> None:
    async def scenario() -> None:
        repository = ModelRepository(tmp_path, threads=1, publisher=None)
        make_version(tmp_path / NAME, 1)
        await repository.sync()
        assert not repository.any_available()
        await asyncio.sleep(limits.SETTLE_S)
        await repository.sync()
        assert repository.any_available()

    asyncio.run(scenario())


def test_a_removed_version_goes_and_a_running_request_keeps_it(play: Callable[[Scenario], None]) -> None:
    async def scenario(repository: ModelRepository, models: Path) -> None:
        folder = make_version(models, 1)
        await repository.sync()
        in_use = repository.get(NAME)

        shutil.rmtree(folder)
        await repository.sync()

        assert states(repository) == {1: END}
        assert not repository.any_available()
        assert in_use.info.version == 1

    play(scenario)


def test_a_base_that_is_away_for_a_moment_changes_nothing(play: Callable[[Scenario], None]) -> None:
    async def scenario(repository: ModelRepository, models: Path) -> None:
        make_version(models, 1)
        await repository.sync()
        base = models.parent

        base.rename(base.with_name("away"))
        await repository.sync()
        assert repository.get(NAME).info.version == 1
        base.with_name("away").rename(base)

    play(scenario)


def test_folders_that_are_no_versions_are_ignored(play: Callable[[Scenario], None]) -> None:
    async def scenario(repository: ModelRepository, models: Path) -> None:
        make_version(models, 1)
        for name in ("007", "latest", ".2.unfinished", "-3"):
            (models / name).mkdir()
        (models / "8").touch()
        await repository.sync()
        assert states(repository) == {1: AVAILABLE}

    play(scenario)


def test_a_model_served_under_another_name_is_rejected(play: Callable[[Scenario], None]) -> None:
    async def scenario(repository: ModelRepository, models: Path) -> None:
        make_version(models, 1, name="other")
        await repository.sync()
        assert "name is 'other' but it is served as 'hematovision'" in repository.versions(NAME)[1].error

    play(scenario)


def test_a_configuration_replaces_what_was_found(play: Callable[[Scenario], None]) -> None:
    async def scenario(repository: ModelRepository, models: Path) -> None:
        for version in (1, 2, 3):
            make_version(models, version)
        make_version(models.parent / "other", 1, name="other")
        await repository.sync()
        assert repository.get("other")

        await repository.reconfigure({NAME: Source(models, latest=2, labels={"stable": 2})})

        assert states(repository) == {2: AVAILABLE, 3: AVAILABLE}
        assert repository.get(NAME, label="stable").info.version == 2
        with pytest.raises(RequestError, match="Latest"):
            repository.get("other")
        with pytest.raises(RequestError, match="label: canary"):
            repository.get(NAME, label="canary")
        await repository.sync()
        assert states(repository) == {2: AVAILABLE, 3: AVAILABLE}

        await repository.reconfigure({NAME: Source(models, latest=None, only=frozenset({1}))})
        assert states(repository) == {1: AVAILABLE, 2: END, 3: END}

    play(scenario)


def test_a_configuration_that_cannot_be_met_leaves_the_old_one(play: Callable[[Scenario], None]) -> None:
    async def scenario(repository: ModelRepository, models: Path) -> None:
        make_version(models, 1)
        await repository.sync()
        make_version(models, 2)
        document = json.loads(
            (make_version(models.parent / "other", 1, name="other") / MODEL_JSON).read_text()
        )
        document["labels"] = ["neutrophil", "platelet"]
        (models.parent / "other" / "1" / MODEL_JSON).write_text(json.dumps(document))

        with pytest.raises(RequestError, match="labels has 2") as refusal:
            await repository.reconfigure({NAME: Source(models), "other": Source(models.parent / "other")})

        assert refusal.value.code == grpc.StatusCode.UNKNOWN
        assert repository.get(NAME).info.version == 1

    play(scenario)
