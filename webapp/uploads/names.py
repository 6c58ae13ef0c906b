"""File names as people and attackers give them."""

import unicodedata
from pathlib import PurePosixPath

from serving.contract import OTHER_SUFFIXES

LONGEST = 255


def shown_name(given: str) -> str:
    """The last part of a path, safe to show and store: no folders, control or direction-changing characters.

    Longer than 255 characters, the middle goes and the extension stays.
    """
    last = given.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char for char in last if unicodedata.category(char) not in ("Cc", "Cf", "Cs")).strip()
    if kept in ("", ".", ".."):
        return "unnamed"
    if len(kept) <= LONGEST:
        return kept
    suffix = PurePosixPath(kept).suffix[-20:]
    return kept[: LONGEST - len(suffix) - 1] + "…" + suffix


def may_be_image(name: str) -> bool:
    """False for the suffixes of documents and the like; of any other file the content decides."""
    return PurePosixPath(name.lower()).suffix not in OTHER_SUFFIXES
