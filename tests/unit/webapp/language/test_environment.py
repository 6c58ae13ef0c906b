"""Management commands speak the language of the environment."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import trans_real

from tests.support import catalogues
from webapp.language.environment import activate


@pytest.fixture(autouse=True)
def languages(settings: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    catalogues.write(tmp_path, "de", catalogues.catalogue({"none yet": "noch keine"}))
    catalogues.write(tmp_path, "fr", b"#!/bin/sh\n")
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]  # type: ignore[attr-defined]
    settings.LOCALE_PATHS = [tmp_path]  # type: ignore[attr-defined]
    trans_real._translations.clear()  # type: ignore[attr-defined]
    with translation.override(None):
        yield
    trans_real._translations.clear()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"LANG": "de_DE.UTF-8"}, "noch keine"),
        ({"LANG": "de_AT@euro"}, "noch keine"),
        ({"LANGUAGE": "de", "LC_ALL": "C.UTF-8"}, "noch keine"),
        ({"LC_MESSAGES": "de_DE", "LANG": "en_US"}, "noch keine"),
        ({}, "none yet"),
        ({"LANG": "C"}, "none yet"),
        ({"LANG": "C.UTF-8"}, "none yet"),
        ({"LANG": "en_GB.UTF-8"}, "none yet"),
        ({"LANG": "tlh_QO.UTF-8"}, "none yet"),
        ({"LANG": "fr_FR.UTF-8"}, "none yet"),  # its catalogue is damaged
        ({"LANGUAGE": "en", "LANG": "de_DE"}, "none yet"),
    ],
)
def test_which_language_is_spoken(environ: dict[str, str], said: str) -> None:
    activate(environ)
    assert translation.gettext("none yet") == said
