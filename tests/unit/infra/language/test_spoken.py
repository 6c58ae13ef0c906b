"""The command line speaks the language of the environment, and English where there is nothing better."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from infra.language import ENVIRONMENT, _, numbers, read
from infra.language.libraries import TYPER
from tests.support import catalogues

GERMAN = {
    "Show how each program does.": "Zeigen, wie es jedem Programm geht.",
    "HematoVision is not running in %(home)s. Start it with `make up`.": "In %(home)s läuft nichts.",
    "Options": "Optionen",
    "print JSON for programs": "JSON für Programme",
    "%(n)s day\0%(n)s days": "%(n)s Tag\0%(n)s Tage",
}
DAMAGED = {
    "cut off": catalogues.catalogue(GERMAN)[:60],
    "another file": b"#!/bin/sh\n",
    "empty": b"",
    "not in its encoding": catalogues.catalogue(GERMAN).replace("ä".encode(), b"\xe4\xe4"),
}


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    found = catalogues.checkout(folder)
    catalogues.write(found, "de", catalogues.catalogue(GERMAN))
    for number, content in enumerate(DAMAGED.values()):
        catalogues.write(found, f"xx{number}", content)
    return folder


def hematovision(code: Path, *arguments: str, **language: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from infra.commands.entry import main; main()", *arguments],
        cwd=code,
        env=catalogues.environment(**language)
        | {"HEMATOVISION_HOME": str(code / "nothing"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )


def test_help_is_german(code: Path) -> None:
    said = hematovision(code, "--help", LANG="de_DE.UTF-8")
    assert said.returncode == 0, said.stderr
    assert "Zeigen, wie es jedem Programm geht." in said.stdout
    assert "Optionen" in said.stdout
    assert "Stop what up started." in said.stdout.replace("`", "")  # what is not translated


def test_an_error_is_german_with_the_exit_code_of_any_language(code: Path) -> None:
    said = hematovision(code, "status", LANG="de_DE.UTF-8")
    assert said.stdout == f"In {code / 'nothing'} läuft nichts.\n"
    assert said.returncode == hematovision(code, "status").returncode == 3


@pytest.mark.parametrize(
    "language",
    [
        {},
        {"LANG": "C"},
        {"LANG": "POSIX"},
        {"LANG": "en_US.UTF-8"},
        {"LANG": "tlh_QO.UTF-8"},
        {"LANG": "../../webapp/locale/de"},
        {"LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8"},
        *({"LANG": f"xx{number}_XX.UTF-8"} for number in range(len(DAMAGED))),
    ],
    ids=str,
)
def test_else_all_is_english(code: Path, language: dict[str, str]) -> None:
    said = hematovision(code, "status", **language)
    assert said.stdout == f"HematoVision is not running in {code / 'nothing'}. Start it with `make up`.\n"
    assert (said.returncode, said.stderr) == (3, "")


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LANG": "de"}, "de"),
        ({"LANG": "de_AT@euro"}, "de"),
        ({"LC_MESSAGES": "de_DE", "LANG": "en_US"}, "de"),
        ({"LC_ALL": "", "LANG": "de_DE"}, "de"),
        ({"LANGUAGE": "fr:de", "LC_ALL": "C"}, "de"),
        ({"LANGUAGE": "en_GB:de", "LANG": "de_DE"}, "en"),
        ({"LANGUAGE": "en", "LC_ALL": "de_DE"}, "en"),
    ],
)
def test_which_language_is_meant(code: Path, environ: dict[str, str], language: str) -> None:
    spoken, texts = read(environ, code / "webapp" / "locale")
    assert spoken == language
    assert texts.ngettext("%(n)s day", "%(n)s days", 2) == (
        "%(n)s Tage" if language == "de" else "%(n)s days"
    )


def test_a_management_command_speaks_as_whoever_started_it(code: Path) -> None:
    (code / "settings_in_german.py").write_text(
        "from webapp.config.settings import *\n"
        "LANGUAGES = [('en', 'English'), ('de', 'Deutsch')]\n"
        f"LOCALE_PATHS = [{str(code / 'webapp' / 'locale')!r}]\n"
    )
    # What the stack's programs are told does not count for a person.
    run = "from infra.local.manage import manage; from infra.local.config.environment import LOCALE\n"
    run += "print(manage('create_lab', '--help', env=LOCALE))"
    said = {
        language: subprocess.run(
            [sys.executable, "-c", run],
            cwd=code,
            env={
                **catalogues.environment(LANG=language),
                "DJANGO_SETTINGS_MODULE": "settings_in_german",
                "PYTHONPATH": str(code),
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for language in ("de_DE.UTF-8", "C.UTF-8", "tlh_QO.UTF-8")
    }
    assert "JSON für Programme" in said["de_DE.UTF-8"]
    assert "print JSON for programs" in said["C.UTF-8"]
    assert "print JSON for programs" in said["tlh_QO.UTF-8"]


def test_these_tests_are_english() -> None:
    assert ENVIRONMENT == {"LANGUAGE": "en"}
    assert _("Options") == "Options"


@pytest.mark.parametrize(("language", "said"), [("en", "97.5"), ("de", "97,5"), ("tlh", "97.5")])
def test_numbers(monkeypatch: pytest.MonkeyPatch, language: str, said: str) -> None:
    monkeypatch.setattr(numbers, "LANGUAGE", language)
    assert numbers.decimal(97.46) == said


def test_what_typer_says_is_what_it_says() -> None:
    spec = find_spec("typer")
    assert spec is not None
    assert spec.origin is not None
    sources = "".join(path.read_text() for path in Path(spec.origin).parent.rglob("*.py"))
    assert [text for text in TYPER if f'_("{text}")' not in sources] == []
