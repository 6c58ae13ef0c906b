"""While a release is rolled out, the code before it works on the migrated database."""

from pathlib import Path

import pytest
from django.apps import apps
from django_migration_linter import MigrationLinter

import webapp


@pytest.mark.django_db(transaction=True)  # an index is built outside one
def test_the_code_before_survives_every_migration(capsys):
    ours = [app.label for app in apps.get_app_configs() if app.name.startswith("webapp.")]
    linter = MigrationLinter(
        str(Path(webapp.__file__).parent),
        include_apps=ours,
        analyser_string="postgresql",
        no_cache=True,
        quiet=["ok", "ignore", "warning"],
    )
    linter.lint_all_migrations()
    assert not linter.has_errors, capsys.readouterr().out
