"""What tests start once for the whole run, and only if one of them asks."""

from collections.abc import Iterator

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations

from infra.local.stack import Stack
from tests.support import plugin
from tests.support.stack import RunningStack


@pytest.fixture(scope="session")
def services() -> Iterator[Stack]:
    """PostgreSQL, Valkey, the object store and the model server; no code of ours but the last."""
    stack = Stack(plugin.SETTINGS)
    stack.start_services()
    yield stack
    stack.stop()


@pytest.fixture(scope="session")
def stack(services: Stack) -> RunningStack:
    """The whole product, as `make up` starts it."""
    services.start_product()
    return RunningStack(services)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(services: Stack) -> None:
    """Tests that use Django's database get a real one, with a bucket and the static files beside it."""
    from django.core.management import call_command

    call_command("prepare_storage", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def _emptied_between_tests() -> Iterator[None]:
    """Tests that commit leave nothing behind, though the audit trail refuses to be emptied."""
    flush = DatabaseOperations.sql_flush

    def with_the_trail(self, style, tables, **options):
        alter = "ALTER TABLE audit_entry {} TRIGGER append_only;"
        statements = flush(self, style, tables, **options)
        return [alter.format("DISABLE"), *statements, alter.format("ENABLE ALWAYS")]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", with_the_trail)
        yield
