"""From what is marked to what programs read: one file for each language."""

import gettext
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from infra.language.compile import InvalidCatalogue, compile_all
from infra.language.messages import ROOT, _files, messages, update
from serving.contract.classes import CELL_CLASSES

CODE = """
from infra.language import _, ngettext
# Translators: of a slide
_("Stain")
ngettext("%(n)s cell", "%(n)s cells", n)
pgettext("a day", "May")
N_("The file is empty.")
"""
PAGE = """
<div>
    {% load i18n %}
  <p>A case's page: {% translate "Cases" %}</p>
      {% blocktranslate trimmed count n=n %}
        {{ n }} image
      {% plural %}
        {{ n }} images
      {% endblocktranslate %}
</div>
"""
SCRIPT = 'const text = gettext("Stop"); ngettext("%(n)s file", "%(n)s files", n);'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name, text in (("serving/decoder/x.py", CODE), ("webapp/x.html", PAGE), ("webapp/x.js", SCRIPT)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def translated(source: Path, texts: dict[str, str]) -> Path:
    """The compiled catalogue of a language that is begun with these translations."""
    catalogues = source / "webapp" / "locale"
    path = update("de", messages(source), catalogues)
    written = path.read_text()
    for text, translation in texts.items():
        assert f'msgid "{text}"\nmsgstr ""' in written
        written = written.replace(f'msgid "{text}"\nmsgstr ""', f'msgid "{text}"\nmsgstr "{translation}"')
    path.write_text(written)
    compile_all(catalogues)
    return catalogues


def test_all_that_is_marked_is_found_wherever_it_stands(source):
    found = {(message.id, message.context) for message in messages(source) if message.id}
    assert found == {
        ("Stain", None),
        (("%(n)s cell", "%(n)s cells"), None),
        ("May", "a day"),
        ("The file is empty.", None),
        ("Cases", None),
        (("%(n)s image", "%(n)s images"), None),
        ("Stop", None),
        (("%(n)s file", "%(n)s files"), None),
    }


def test_a_language_is_one_file_that_keeps_what_was_translated(source):
    catalogues = translated(source, {"Cases": "Fälle", "Stop": "Halt"})
    path = catalogues / "de" / "LC_MESSAGES" / "django.po"
    before = path.read_text()
    update("de", messages(source), catalogues)
    assert path.read_text() == before
    (source / "webapp" / "x.js").write_text('gettext("Go on");')
    update("de", messages(source), catalogues)
    with path.open("rb") as file:
        catalogue = read_po(file)
    kept = catalogue.get("Cases")
    assert kept
    assert kept.string == "Fälle"
    assert "Go on" in catalogue
    assert "Stop" not in catalogue


def test_programs_read_all_of_it_and_pages_what_stands_in_scripts(source):
    catalogues = translated(source, {"Cases": "Fälle", "Stop": "Halt"})
    program, script = (gettext.translation(name, catalogues, ["de"]) for name in ("django", "djangojs"))
    assert [program.gettext(text) for text in ("Cases", "Stop", "Stain")] == ["Fälle", "Halt", "Stain"]
    assert [script.gettext(text) for text in ("Cases", "Stop")] == ["Cases", "Halt"]
    assert program.ngettext("%(n)s cell", "%(n)s cells", 2) == "%(n)s cells"  # not nothing, where nobody said


def test_a_translation_without_its_value_is_no_catalogue(source):
    (source / "webapp" / "x.js").write_text('gettext("Refused: %(reason)s");')
    with pytest.raises(InvalidCatalogue, match="Refused"):
        translated(source, {"Refused: %(reason)s": "Abgelehnt: %(grund)s"})


def test_every_file_that_marks_something_is_read():
    marked = re.compile(r"\b(?:N_|_|n?p?gettext(?:_lazy)?)\(\s*[\"']")
    files = [
        path for folder in ("infra", "serving", "webapp", "workers") for path in (ROOT / folder).rglob("*.py")
    ]
    marking = {path for path in files if marked.search(path.read_text(encoding="utf-8"))}
    assert marking <= {*_files(ROOT)}


def test_the_classes_of_cells_can_be_translated():
    found = {message.id for message in messages()}
    assert {one.name for one in CELL_CLASSES} <= found
