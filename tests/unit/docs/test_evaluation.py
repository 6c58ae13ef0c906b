"""The README says of the newest model version what was measured."""

import json
import re

from serving.contract.model_folder import MODEL_JSON
from tests.support.documents import ROOT, committed


def test_the_readme_says_what_the_newest_version_is_worth() -> None:
    newest = max(
        committed(f"serving/models/hematovision/*/{MODEL_JSON}"), key=lambda path: int(path.parent.name)
    )
    readme = (ROOT / "README.md").read_text()
    said = re.findall(r"^- In .*$", readme, re.MULTILINE)
    own, other = (json.loads(newest.read_text())["metrics"][name] for name in ("pbc_test", "chula_wbc"))
    assert [float(number.replace(",", "")) for number in re.findall(r"\d[\d,.]*(?=[ *])", said[0])] == [
        round(100 * own["accuracy"], 1),
        own["images"],
        round(100 * (1 - own["coverage"]), 1),
        round(100 * own["unflagged_accuracy"], 1),
    ]
    assert [float(number) for number in re.findall(r"\d+", said[1])] == [
        round(100 * other["accuracy_among_present"]),
        other["images"],
        sum(one["images"] > 0 for one in other["by_class"].values()),
        round(100 * (1 - other["coverage"])),
        round(100 * other["mistakes_flagged"]),
    ]
    assert f"/{newest.parent.name}/MODEL_CARD.md" in readme
