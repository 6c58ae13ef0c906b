"""docs/settings.md, and what it is made from."""

from pathlib import Path

from infra.docs import settings_table
from infra.docs.settings_table import Setting, read, render


def test_the_table_is_up_to_date() -> None:
    assert settings_table.TABLE.read_text() == render(), "run: python -m infra.docs.settings_table"


def test_every_setting_says_what_it_is() -> None:
    assert [setting.name for setting in read() if not setting.meaning] == []


def test_what_is_read_of_a_line(tmp_path: Path) -> None:
    (settings := tmp_path / "settings.py").write_text(
        """
# --- first things ------
A = env.str("A")  # one
B = env.int("B", 2 * 1024)  # two
# --- second -----
C = {"c": env.path("C", HERE.parent / "var" / "c")}  # three
D = env.list("D", ["x", "y"])
E = env.bool("E", False)
F = env.str(  # six
    "F", A
)
if A:
    G = env.str("G")
"""
    )
    assert read(settings) == [
        Setting("A", "first things", "", None, "one"),
        Setting("B", "first things", "whole number", "2048", "two"),
        Setting("C", "second", "path", "var/c", "three"),
        Setting("D", "second", "parted by commas", "x,y", ""),
        Setting("E", "second", "`true` or `false`", "false", ""),
        Setting("F", "second", "", "that of HEMATOVISION_A", "six"),
        Setting("G", "second", "", None, "", only_with="A"),
    ]


def test_a_module_that_is_composed_of_others_has_their_settings_first(tmp_path: Path) -> None:
    (tmp_path / "topic.py").write_text('# --- topic ---\nA = env.str("A")  # one\n')
    (whole := tmp_path / "__init__.py").write_text(
        'from settings.topic import *\n# --- last ---\nB = env.int("B")  # two\n'
    )
    assert [(setting.name, setting.section) for setting in read(whole)] == [("A", "topic"), ("B", "last")]
