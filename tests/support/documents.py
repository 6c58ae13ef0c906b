"""What documents name: tests, paths, links and the targets of make."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"

_FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2\s*$", re.MULTILINE | re.DOTALL)
_PROOF = re.compile(r"`([\w/]+\.py(?:::\w+)?|::\w+)`")
_LINK = re.compile(r"\]\(([^()\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_ANCHOR = re.compile(r"<a id=\"([^\"]+)\"")


def committed(*patterns: str) -> list[Path]:
    """Files that belong to the repository, new ones too, by git's patterns."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.splitlines() if (path := ROOT / name).is_file()]


def missing_tests(text: str) -> list[str]:
    """Tests that `text` names and that are not there, each with the place where it may be now.

    They are named `path.py::test` below `tests/`, and `::test` where the path is that of the test before.
    """
    file, missing = "", []
    for proof in _PROOF.findall(text):
        named, _, test = proof.partition("::")
        file = named or file
        path = TESTS / file
        if not path.is_file() or (test and not _holds(path, test)):
            places = [
                p for p in TESTS.rglob("test_*.py") if (_holds(p, test) if test else p.name == path.name)
            ]
            found = ", ".join(p.relative_to(TESTS).as_posix() for p in places)
            missing.append(f"{file}::{test}: {found or 'nowhere'}")
    return missing


def _holds(path: Path, test: str) -> bool:
    return re.search(rf"(def|class) {test}\b", path.read_text()) is not None


def prose(text: str) -> str:
    """`text` without the blocks of code in it."""
    return _FENCE.sub("", text)


def links(text: str) -> Iterator[str]:
    """Addresses that links and pictures of a Markdown text lead to."""
    for address in _LINK.findall(prose(text)):
        yield address[0] or address[1]


def anchors(text: str) -> set[str]:
    """Places of a Markdown text that links may lead to, as GitHub names them."""
    headings = [re.sub(r"\[([^]]*)]\([^)]*\)", r"\1", heading) for heading in _HEADING.findall(prose(text))]
    slugs = {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}
    return slugs | set(_ANCHOR.findall(text))


def make_targets() -> set[str]:
    """What `make` can be asked for by name."""
    return set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
