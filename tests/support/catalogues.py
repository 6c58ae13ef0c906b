"""Catalogues of a few texts, as gettext reads them, beside the code that is to say them."""

import os
import struct
from collections.abc import Mapping
from pathlib import Path

from tests.support.documents import ROOT

_HEADER = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"


def catalogue(texts: Mapping[str, str]) -> bytes:
    """A .mo file; texts with a plural are `one\\0many`, on both sides.

    https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html
    """
    rows = sorted({"": _HEADER, **texts}.items())
    tables, strings, start = [b"", b""], b"", 7 * 4 + 2 * 8 * len(rows)
    for side in (0, 1):
        for row in rows:
            text = row[side].encode()
            tables[side] += struct.pack("<II", len(text), start + len(strings))
            strings += text + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(rows), 7 * 4, 7 * 4 + 8 * len(rows), 0, 0)
    return head + tables[0] + tables[1] + strings


def write(catalogues: Path, language: str, content: bytes) -> None:
    folder = catalogues / language / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.mo").write_bytes(content)


def checkout(folder: Path) -> Path:
    """The code under another folder, all but its catalogues; returns where these would be."""
    (folder / "webapp").mkdir()
    links = [folder / name for name in ("infra", "serving", "workers")]
    links += [folder / "webapp" / path.name for path in (ROOT / "webapp").iterdir() if path.name != "locale"]
    for link in links:
        link.symlink_to(ROOT / link.relative_to(folder))
    return folder / "webapp" / "locale"


def environment(**language: str) -> dict[str, str]:
    """That of these tests, with no language but the one given; its encoding is UTF-8 in any."""
    named = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    return {name: value for name, value in os.environ.items() if name not in named} | {
        "PYTHONUTF8": "1",
        **language,
    }
