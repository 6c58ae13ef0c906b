"""`python -m infra.language.messages [LANGUAGE…]`: brings the `django.po` of each language up to date.

A language that is named and has none gets one. What was translated stays; what is said no more goes.
"""

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from infra.language import CATALOGUES
from infra.language.compile import MESSAGES

ROOT = CATALOGUES.parents[1]
FOLDERS = ("infra", "serving/contract", "serving/decoder", "webapp", "workers")
METHODS = {".html": "template", ".js": "javascript", ".py": "python", ".txt": "template"}
KEYWORDS: dict[str, Any] = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
    "pgettext_lazy": ((1, "c"), 2),
}
COMMENTS = ("Translators:",)
WIDTH = 110

Extracted = tuple[int, Any, list[str], str | None]


def messages(root: Path = ROOT) -> Catalog:
    """All that is marked, in the order of files."""
    found = Catalog(project="HematoVision")
    for path in _files(root):
        place = path.relative_to(root).as_posix()
        for line, text, comments, context in _extract(path):
            found.add(text, None, [(place, line)], auto_comments=comments, context=context)
    return found


def update(language: str, found: Catalog, catalogues: Path = CATALOGUES) -> Path:
    path = catalogues / language / MESSAGES
    if path.exists():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language)
        found.creation_date = catalogue.creation_date  # so that nothing changes where nothing is new
        catalogue.update(found, no_fuzzy_matching=True)
    else:
        path.parent.mkdir(parents=True)
        comment = f"# HematoVision, {Locale.parse(language).english_name}. Written by `make messages`."
        catalogue = Catalog(language, project="HematoVision", header_comment=comment, fuzzy=False)
        catalogue.update(found)
    with path.open("wb") as out:
        write_po(out, catalogue, width=WIDTH, ignore_obsolete=True, include_lineno=False)
    return path


def _files(root: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in METHODS and not {"vendor", "migrations"} & set(path.parts):
                yield path


def _extract(path: Path) -> Iterator[Extracted]:
    method, source = METHODS[path.suffix], path.read_text(encoding="utf-8")
    if method == "template":
        # What Django leaves of a template has the indentation of HTML, which Python does not bear.
        method, source = "python", re.sub(r"(?m)^[ \t]+", "", templatize(source, origin=str(path)))
    options = {"encoding": "utf-8"}
    yield from extract(
        method, io.BytesIO(source.encode()), KEYWORDS, COMMENTS, options, strip_comment_tags=True
    )


def main() -> None:
    found = messages()
    languages = {path.parts[-3] for path in CATALOGUES.glob(f"*/{MESSAGES}")} | set(sys.argv[1:])
    for language in sorted(languages):
        update(language, found)


if __name__ == "__main__":
    main()
