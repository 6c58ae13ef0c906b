"""The command line in the language of whoever types: gettext over the catalogues of the web, without Django.

The language is that of LANGUAGE, LC_ALL, LC_MESSAGES or LANG, as gettext has it; English where there is
none of these, or no catalogue, or one that cannot be read: no command fails for it.
"""

import gettext
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

CATALOGUES = Path(__file__).parents[2] / "webapp" / "locale"
DOMAIN = "django"
SOURCE = "en"  # what the code is written in
_ENGLISH = {SOURCE, "C", "POSIX"}


def read(environ: Mapping[str, str], catalogues: Path) -> tuple[str, gettext.NullTranslations]:
    """The language that the environment names, and its texts; the first that there are."""
    for language in _wanted(environ):
        if language in _ENGLISH:
            break
        try:
            with (catalogues / language / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
                return language, gettext.GNUTranslations(file)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except Exception:  # noqa: BLE001 - whatever is wrong with the file, English is to be had
            break
    return SOURCE, gettext.NullTranslations()


def _wanted(environ: Mapping[str, str]) -> Iterator[str]:
    """Languages, the best first: for `de_AT.UTF-8` also what there is in German at all."""
    named = next(filter(None, map(environ.get, ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))), "")
    for locale in named.split(":"):
        place = locale.partition(".")[0].partition("@")[0]
        if place and "/" not in place:
            yield place
            yield place.partition("_")[0]


LANGUAGE, _translations = read(os.environ, CATALOGUES)
ENVIRONMENT = {"LANGUAGE": LANGUAGE}  # for a child that speaks to the same person: it goes before LC_ALL

if LANGUAGE != SOURCE:  # what typer and argparse say themselves, which they ask gettext for
    gettext.bindtextdomain(DOMAIN, str(CATALOGUES))
    gettext.textdomain(DOMAIN)

_ = _translations.gettext
ngettext = _translations.ngettext
pgettext = _translations.pgettext
