"""What others made has a line in docs/third-party.md, and the text that its licence asks for beside it."""

import json
import re
from pathlib import Path

import pytest

from serving.contract.model_folder import MODEL_JSON
from tests.support.documents import ROOT, committed

NOTICES = ROOT / "docs" / "third-party.md"
_ROW = re.compile(r"^\| (`.+?) \|.*\| (.+?) \|$", re.MULTILINE)
_OTHERS = re.compile(r"/vendor/|\.min\.|\.(woff2?|ttf|otf|eot|proto|onnx|keras|h5|pth|tflite|pb)$")
# Random weights, made by build_tiny_model.py.
_OURS = {f"tests/support/tiny_model_{size}.tflite" for size in (160, 224)}


def named() -> dict[str, str]:
    """Where licences' texts lie, by file or folder."""
    return {
        path: texts
        for paths, texts in _ROW.findall(NOTICES.read_text())
        for path in re.findall(r"`([^`]+)`", paths)
    }


def is_named(path: str) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in named())


def test_whatever_is_vendored_has_a_notice() -> None:
    others = {path.relative_to(ROOT).as_posix() for path in committed()}
    others = {path for path in others if _OTHERS.search(path) and "LICENSE" not in path} - _OURS
    assert len(others) > 5
    assert not {path for path in others if not is_named(path)}


def test_what_has_a_notice_is_there_with_its_text() -> None:
    for path, texts in named().items():
        assert (ROOT / path).exists(), path
        found = re.findall(r"\]\(([^)]+)\)", texts)
        assert found or "https://" in texts, path
        for text in found:
            assert (NOTICES.parent / text).is_file(), text


def versions() -> list[Path]:
    return sorted(path.parent for path in committed(f"serving/models/*/*/{MODEL_JSON}"))


@pytest.mark.parametrize("version", versions(), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_model_version_carries_its_notice(version: Path) -> None:
    assert version.relative_to(ROOT).as_posix() in named()
    notice = (version / "NOTICE.md").read_text()
    said = json.loads((version / MODEL_JSON).read_text())["licence"]
    for source in re.findall(r"doi (\S+?)[,.;]? ", said):
        assert source in notice
        assert source in NOTICES.read_text()
    if "Apache-2.0" in said:
        assert "Apache License" in (version / "LICENSE.txt").read_text()
    if "CC BY 4.0" in said:
        assert "https://creativecommons.org/licenses/by/4.0/" in notice
