"""training.studies.formats: the table of what a version could ship in, on drawn cells."""

from pathlib import Path

import pytest

from training.data.images import load_images
from training.export.serving_graphs import PRECISIONS
from training.studies import formats
from training.studies.formats import compare_formats


def test_every_form_is_measured_against_the_saved_model(
    base: Path, cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "REPEATS", 1)  # nothing is said of speed here
    table = compare_formats(base, load_images(cells), "test", tmp_path)
    assert (table["version"], table["images"]) == ("hematovision 1", "drawn test")
    forms = {form["form"]: form for form in table["forms"]}
    assert tuple(forms) == PRECISIONS
    for name in ("float32", "float16", "int8 weights", "int8 network"):
        assert forms[name]["labels as SavedModel"] > 0.9, name
    differences = [form["largest difference of a probability"] for form in forms.values()]
    assert differences[0] < differences[1] < 0.01
    assert min(differences[2:]) > differences[1]  # whose arithmetic has 256 steps
