"""Links, paths and commands of the documents lead to what is there."""

import re
from pathlib import Path

import pytest

from tests.support.documents import ROOT, anchors, committed, links, make_targets

DOCUMENTS = committed("*.md")
_PATH = re.compile(r"`((?:docs|infra|k8s|serving|tests|training|webapp|workers)/[\w./-]*)`")


def of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=of)
def test_every_link_leads_somewhere(document: Path) -> None:
    astray = []
    for address in links(document.read_text()):
        if re.match(r"[a-z]+:", address):  # elsewhere
            continue
        name, _, anchor = address.partition("#")
        target = (document.parent / name).resolve() if name else document
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            astray.append(address)
    assert not astray


@pytest.mark.parametrize("document", DOCUMENTS, ids=of)
def test_every_path_is_there(document: Path) -> None:
    named = set(_PATH.findall(document.read_text()))
    assert not [name for name in named if not (ROOT / name).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=of)
def test_every_make_target_is_there(document: Path) -> None:
    text = document.read_text()
    named = {
        *re.findall(r"`make ([a-z][\w-]*)", text),
        *re.findall(r"^ *make ([a-z][\w-]*)", text, re.MULTILINE),
    }
    assert not named - make_targets()


def test_the_pictures_are_light() -> None:
    pictures = committed("docs/pictures/*.webp")
    assert {path.stem for path in pictures} >= {"case-light", "case-dark"}
    assert sum(path.stat().st_size for path in pictures) < 300_000
