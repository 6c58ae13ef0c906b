"""A second language: a small catalogue in a folder of the test's own."""

from pathlib import Path

import pytest
from django.conf import settings as configured
from pytest_django import Settings

from infra.language.compile import compile_all
from webapp.ui import catalogue

PO = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: de\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

#: webapp/ui/static/ui/upload/retry.js
msgid "The connection was lost."
msgstr "Die Verbindung ist abgebrochen."

#: serving/decoder/cost.py
msgid "The image is %(width)s pixels wide."
msgstr "Das Bild ist %(width)s Pixel breit."

#: serving/decoder/cost.py
msgid "a scan"
msgstr "ein Scan"

#: serving/decoder/cost.py
msgid "This is %(kind)s."
msgstr "Das ist %(kind)s."

#: webapp/ui/labs/views/settings.py
msgid "Saved. It holds from now on, for every case of the lab."
msgstr "Gespeichert. Es gilt ab jetzt, für jeden Fall des Labors."

#: webapp/notifications/wording.py
#, python-format
msgid "%(count)s classified"
msgid_plural "%(count)s classified"
msgstr[0] "%(count)s klassifiziert"
msgstr[1] "%(count)s klassifiziert"

#: webapp/ui/templatetags/numbers.py
#, python-format
msgid "%(number)s %%"
msgstr "%(number)s Prozent"
"""


@pytest.fixture
def german(tmp_path: Path, settings: Settings) -> None:
    """Labs and browsers may ask for German."""
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(PO)
    compile_all(tmp_path)
    settings.LOCALE_PATHS = [tmp_path]
    settings.LANGUAGES = [*configured.LANGUAGES, ("de", "Deutsch")]
    catalogue.script.cache_clear()
