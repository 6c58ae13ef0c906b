"""`python -m infra.language.compile`: each `django.po` becomes what programs read.

`django.mo` holds all messages; `djangojs.mo`, which pages load, those that stand in scripts.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from infra.language import CATALOGUES

MESSAGES = "LC_MESSAGES/django.po"


class InvalidCatalogue(Exception):
    """A translation lacks a value, or has one that the English has not: it would fail where it is said."""


def compile_all(catalogues: Path = CATALOGUES) -> None:
    for source in sorted(catalogues.glob(f"*/{MESSAGES}")):
        with source.open("rb") as file:
            catalogue = read_po(file, abort_invalid=True)
        faults = [
            f"{source}: {message.id!r}: {error}" for message, errors in catalogue.check() for error in errors
        ]
        if faults:
            raise InvalidCatalogue("\n".join(faults))
        _write(source.with_suffix(".mo"), catalogue, lambda _: True)
        _write(source.with_name("djangojs.mo"), catalogue, _is_in_scripts)


def _write(path: Path, catalogue: Catalog, wanted: Callable[[Message], bool]) -> None:
    kept = Catalog(catalogue.locale, header_comment=catalogue.header_comment)
    kept.mime_headers = catalogue.mime_headers
    for message in catalogue:
        if message.id and _is_translated(message) and wanted(message):
            kept[message.id] = message
    with path.open("wb") as file:
        write_mo(file, kept)


def _is_translated(message: Message) -> bool:
    """In all its plural forms: else people would read nothing for some numbers."""
    return all(message.string if isinstance(message.string, tuple | list) else [message.string])


def _is_in_scripts(message: Message) -> bool:
    return any(place.endswith(".js") for place, _ in message.locations)


if __name__ == "__main__":
    try:
        compile_all()
    except InvalidCatalogue as error:
        sys.exit(str(error))
