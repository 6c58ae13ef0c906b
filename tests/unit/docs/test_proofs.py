"""The threat model names tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_proof_is_a_test() -> None:
    file = ""
    missing = []
    for proof in re.findall(r"`([\w/]+\.py(?:::\w+)?|::\w+)`", (ROOT / "THREAT_MODEL.md").read_text()):
        named, _, test = proof.partition("::")
        file = named or file
        path = ROOT / "tests" / file
        if not path.is_file() or (test and not re.search(rf"(def|class) {test}\b", path.read_text())):
            missing.append(proof)
    assert not missing
