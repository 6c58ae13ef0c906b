"""A version folder becomes a model that answers, or a refusal that says why."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.contract import CELL_LABELS, MODEL_FILE, ModelFolderError, ModelInfo
from serving.embedded.model import LoadedModel
from tests.support.tiny_model import (
    CORNER_COLOURS,
    OTHER_SIZE,
    TINY_SHAPE,
    make_version,
    tiny_outputs,
)


def test_every_thread_answers_alike(tmp_path: Path) -> None:
    model = LoadedModel(make_version(tmp_path), threads=2)
    red = np.full(TINY_SHAPE, CORNER_COLOURS[4], np.uint8)

    answers = [model.run(thread, red) for thread in (0, 1)]

    assert [int(answer["probabilities"].argmax()) for answer in answers] == [4, 4]
    assert {name: tensor.shape for name, tensor in model.outputs.items()} == {
        "probabilities": (-1, 8),
        "evidence": (-1, 7, 7, 8),
        "embedding": (-1, 3),
        "distance": (-1,),
    }
    assert model.inputs["image"].shape == (-1, *TINY_SHAPE)


def test_labels_that_contradict_the_graph_are_rejected(tmp_path: Path) -> None:
    outputs = {**tiny_outputs(), "probabilities": (5,), "evidence": (7, 7, 5)}
    folder = make_version(tmp_path, labels=CELL_LABELS[:5], outputs=outputs)

    with pytest.raises(ModelFolderError, match=r"probabilities is float32 \[8\], not float32 \[5\]"):
        LoadedModel(folder, threads=1)


def test_a_version_has_its_own_input_size_and_outputs(tmp_path: Path) -> None:
    model = LoadedModel(make_version(tmp_path, input_size=OTHER_SIZE), threads=1)

    answer = model.run(0, np.full((OTHER_SIZE, OTHER_SIZE, 3), CORNER_COLOURS[4], np.uint8))

    assert answer["probabilities"].argmax() == 4
    assert model.inputs["image"].shape == (-1, OTHER_SIZE, OTHER_SIZE, 3)
    assert model.outputs["evidence"].shape == (-1, 5, 5, 8)


def test_an_input_size_that_contradicts_the_graph_is_rejected(tmp_path: Path) -> None:
    folder = make_version(tmp_path)
    replace(ModelInfo.load(folder), input_size=OTHER_SIZE).save(folder)

    with pytest.raises(ModelFolderError, match=r"its input is \[224, 224, 3\].*says input_size 160"):
        LoadedModel(folder, threads=1)


def test_outputs_that_contradict_the_graph_are_rejected(tmp_path: Path) -> None:
    folder = make_version(tmp_path, outputs=tiny_outputs(OTHER_SIZE))

    with pytest.raises(ModelFolderError, match=r"evidence is float32 \[7, 7, 8\], not float32 \[5, 5, 8\]"):
        LoadedModel(folder, threads=1)


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"no model" * 99]
)
def test_a_damaged_file_is_rejected(tmp_path: Path, damage: Any) -> None:
    folder = make_version(tmp_path)
    model = folder / MODEL_FILE
    model.write_bytes(damage(model.read_bytes()))

    with pytest.raises(ModelFolderError, match=f"{MODEL_FILE} cannot be used"):
        LoadedModel(folder, threads=1)


def test_a_missing_file_is_rejected(tmp_path: Path) -> None:
    folder = make_version(tmp_path)
    (folder / MODEL_FILE).unlink()

    with pytest.raises(ModelFolderError, match=r"has no model\.tflite"):
        LoadedModel(folder, threads=1)


@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        ({"probabilities": np.ones(8, np.float32) / 8}, "its outputs are"),
        ({"evidence": np.zeros((7, 7), np.float32)}, "evidence is float32 .7, 7., not"),
        ({"embedding": np.zeros(3, np.float64)}, "embedding is float64"),
        ({"evidence": np.zeros((7, 7, 9), np.float32)}, "evidence is float32 .7, 7, 9., not"),
        ({"probabilities": np.ones(8, np.float32)}, "do not sum to 1"),
        ({"probabilities": np.full(8, np.nan, np.float32)}, "probabilities is not finite"),
        ({"distance": np.float32(np.inf)}, "distance is not finite"),
        ({"distance": np.float32(-0.1)}, "distance is negative"),
        ({"distance": np.zeros(1, np.float32)}, "distance is float32 .1., not"),
    ],
)
def test_another_signature_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outputs: dict[str, Any], says: str
) -> None:
    right = {
        "probabilities": np.full(8, 1 / 8, np.float32),
        "evidence": np.zeros((7, 7, 8), np.float32),
        "embedding": np.zeros(3, np.float32),
        "distance": np.float32(0.5),
    }
    wrong = outputs if says == "its outputs are" else {**right, **outputs}
    monkeypatch.setattr(LoadedModel, "run", lambda model, thread, image: wrong)

    with pytest.raises(ModelFolderError, match=says):
        LoadedModel(make_version(tmp_path), threads=1)
