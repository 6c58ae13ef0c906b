"""What tests start once for the whole run, and only if one of them asks."""

import os
from collections.abc import Iterator
from functools import partial

import pytest
from django.core.files.storage import storages
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from pytest_django import DjangoDbBlocker
from whitenoise.base import WhiteNoise
from whitenoise.responders import Redirect, StaticFile

from infra.local.config.settings import PREFIX
from infra.local.stack import Stack
from tests.support import plugin
from tests.support.stack import RunningStack, free_settings

# What tests that kill programs wait for. A task still has the 20 s after which the model client gives up.
SHORT_WAITS = {
    "WORKER_SOFT_SHUTDOWN_SECONDS": "26",
    "TASK_SOFT_TIME_LIMIT_SECONDS": "28",
    "TASK_TIME_LIMIT_SECONDS": "30",
    "CHUNK_LEASE_SECONDS": "32",
    "CHUNK_RECOVERY_INTERVAL_SECONDS": "2",
    "CHUNK_RETRY_LONGEST_SECONDS": "8",
}

TEMPLATE = "hematovision_tests"


@pytest.fixture(scope="session")
def services() -> None:
    """PostgreSQL, Valkey, the object store and the model server: one of each, which all workers share."""
    plugin.RUN.start_services()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The whole product, as `make up` starts it, with services of its own: tests stop and kill them."""
    stack = Stack(free_settings(tmp_path_factory.mktemp("product")))
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(PREFIX)]:
            patch.delenv(name)  # of the services that tests in this process share
        for name, value in SHORT_WAITS.items():
            patch.setenv(PREFIX + name, value)
        stack.start()
    yield RunningStack(stack)
    stack.stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, services: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Tests that use Django's database get a real one, with a bucket and the static files beside it."""
    from django.core.management import call_command

    call_command("prepare_storage", verbosity=0)
    plugin.RUN.once("static", partial(call_command, "collectstatic", interactive=False, verbosity=0))
    if plugin.WORKER:
        with django_db_blocker.unblock():
            plugin.RUN.once("template", _make_template)
        # Nothing is left to migrate in a copy, so that nobody has to read how.
        connection.settings_dict["TEST"].update(TEMPLATE=TEMPLATE, MIGRATE=False)


def _make_template() -> None:
    """The database that those of all workers are copied from; nobody may be connected to it then."""
    name, test = connection.settings_dict["NAME"], connection.settings_dict["TEST"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(test, "NAME", TEMPLATE)
        connection.creation.create_test_db(verbosity=0, serialize=False)
        tables = connection.introspection
        unmade = set(tables.django_table_names()) - set(tables.table_names())
        assert not unmade, f"No migration makes {unmade}."  # to migrate nothing in a copy would make them
        connection.creation.destroy_test_db(name, verbosity=0, keepdb=True)  # which but leaves it


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_looked_at_once() -> Iterator[None]:
    """Each test client makes the middleware anew, for which WhiteNoise would look at every static file."""
    found: dict[tuple[str, str, type], dict[str, StaticFile | Redirect]] = {}
    update = WhiteNoise.update_files_dictionary

    def from_before(self: WhiteNoise, root: str, prefix: str) -> None:
        key = (root, prefix, type(storages["staticfiles"]))
        if key not in found:
            before = self.files
            self.files = found[key] = {}
            update(self, root, prefix)
            self.files = before
        self.files.update(found[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoise, "update_files_dictionary", from_before)
        yield


@pytest.fixture(scope="session", autouse=True)
def _emptied_between_tests() -> Iterator[None]:
    """Tests that commit leave nothing behind, though the audit trail, ranges, decisions and results let
    nobody empty them."""
    flush = DatabaseOperations.sql_flush

    def with_the_trail(self, style, tables, **options):
        kept = (
            *("audit_entry", "ranges_referencerange", "review_decision", "review_gesture"),
            *("review_remark", "review_ruleanswer", "review_agreement"),
            *("cases_setaside", "results_callentry"),
            *("results_result", "results_signature", "results_step"),
        )
        alter = [f"ALTER TABLE {table} {{}} TRIGGER append_only;" for table in kept]
        statements = flush(self, style, tables, **options)
        return [
            *(statement.format("DISABLE") for statement in alter),
            *statements,
            *(statement.format("ENABLE ALWAYS") for statement in alter),
        ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", with_the_trail)
        yield
