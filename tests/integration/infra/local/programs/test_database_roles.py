"""The product's role in the database: it reaches every table, and owns none."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError
from django.db import connection
from psycopg import sql

from infra.local.config.environment import environment, owner
from infra.local.config.secrets import Secrets
from infra.local.programs.os_account import Account
from infra.local.programs.postgres import prepare
from tests.support import plugin
from tests.support.stack import RunningStack, beside
from webapp.audit.actions import Action
from webapp.audit.privileges import grant
from webapp.audit.services import record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def product() -> Iterator[psycopg.Connection]:
    """A connection to the tests' database by the role with which the product runs."""
    url = environment(plugin.SETTINGS, Secrets.load(plugin.HOME))["HEMATOVISION_DATABASE_URL"]
    with psycopg.connect(url, dbname=connection.settings_dict["NAME"], autocommit=True) as ours:
        yield ours


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE audit_entry DISABLE TRIGGER append_only",
        "DROP TRIGGER append_only ON audit_entry",
        "ALTER TABLE audit_entry ADD COLUMN more int",
        "ALTER TABLE audit_entry OWNER TO hematovision_app",
        "DROP TABLE audit_entry",
        "TRUNCATE audit_entry",
        "UPDATE audit_entry SET subject = 'another'",
        "DELETE FROM audit_entry",
        "CREATE TRIGGER t BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
        "CREATE RULE r AS ON INSERT TO audit_entry DO INSTEAD NOTHING",
        "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "DROP FUNCTION audit_append_only CASCADE",
        "SET session_replication_role = replica",
        "SET ROLE hematovision",
        "CREATE TABLE mine (a int)",
        "CREATE TEMPORARY TABLE audit_entry (a int)",
        "CREATE SCHEMA mine",
        "ALTER SCHEMA public RENAME TO another",
        "TRUNCATE cases_case CASCADE",
        "ALTER TABLE cases_case ADD COLUMN more int",
        "DELETE FROM django_migrations",
        "ALTER ROLE hematovision_app SUPERUSER",
        "CREATE ROLE another",
        "COPY audit_entry TO PROGRAM 'cat'",
    ],
)
def test_it_can_change_neither_the_trail_nor_any_table(product, statement):
    record(Action.BACKUP_MADE, lab=None, subject="kept")
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported)) as refused:
        product.execute(statement)
    assert refused.value.sqlstate == "42501" or "audit" in str(refused.value), refused.value
    assert product.execute("SELECT subject FROM audit_entry WHERE subject = 'kept'").fetchone() == ("kept",)


def test_granting_to_oneself_grants_nothing(product):
    product.execute("GRANT ALL ON audit_entry TO hematovision_app")  # a warning
    rights = "SELECT has_table_privilege('audit_entry', right_) FROM unnest(%s::text[]) right_"
    more = ["UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"]
    assert {row[0] for row in product.execute(rights, [more])} == {False}


def test_every_table_and_sequence_is_reached_and_none_owned(product):
    tables = set(connection.introspection.table_names())
    assert {model._meta.db_table for model in apps.get_models(include_auto_created=True)} <= tables
    added_to = {"SELECT", "INSERT"}
    less = {
        **dict.fromkeys(
            (
                *("audit_entry", "cases_setaside", "results_callentry", "review_decision", "review_gesture"),
                *("review_remark", "review_ruleanswer", "review_agreement"),
            ),
            added_to,
        ),
        **dict.fromkeys(("results_result", "results_signature", "results_step"), added_to),
        **{table: {"SELECT"} for table in ("review_cellstate", "django_migrations")},
    }
    rights = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES"]
    for table in tables:
        query = sql.SQL("SELECT right_ FROM unnest(%s::text[]) right_ WHERE has_table_privilege({}, right_)")
        held = {row[0] for row in product.execute(query.format(table), [rights])}
        expected = less.get(table, {"SELECT", "INSERT", "UPDATE", "DELETE"})
        assert held == expected, table
    sequences = product.execute(
        "SELECT relname, has_sequence_privilege(oid, 'USAGE') FROM pg_class WHERE relkind = 'S' "
        "AND relnamespace = 'public'::regnamespace"
    ).fetchall()
    assert sequences
    assert all(usable for _, usable in sequences), sequences
    owned = "SELECT relname FROM pg_class WHERE relowner = current_user::regrole"
    assert product.execute(owned).fetchall() == []


def test_a_table_of_a_later_migration_is_reached_at_once(product):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE later (id bigserial, a int)")
        try:
            product.execute("INSERT INTO later (a) VALUES (1)")
            product.execute("UPDATE later SET a = 2")
            product.execute("DELETE FROM later")
        finally:
            cursor.execute("DROP TABLE later")


@pytest.mark.parametrize(("role", "said"), [("nobody_we_know", "no role"), ("postgres", "superuser")])
def test_a_role_that_may_more_is_rejected(monkeypatch, role, said):
    monkeypatch.setattr(settings, "DATABASE_ROLE", role)
    with pytest.raises(CommandError, match=said):
        grant()


def test_one_role_for_all_is_pointed_out(monkeypatch, capsys):
    monkeypatch.setattr(settings, "DATABASE_ROLE", "hematovision")
    grant()
    assert "Two roles" in capsys.readouterr().err


def environ_of(stack: RunningStack, program: str) -> str:
    """The variables of a program that works, which is none that is still being launched."""
    deadline = time.monotonic() + 60
    ours = "HEMATOVISION_DATABASE_URL=postgresql://hematovision_app:"
    while ours not in (given := Path(f"/proc/{stack.pid(program)}/environ").read_text()):
        assert time.monotonic() < deadline, program
        time.sleep(0.2)
    return given


def test_the_running_product_has_only_its_own_role(stack):
    for program in ("web", "relay", "worker-interactive", "worker-bulk", "worker-events", "beat", "flower"):
        given = environ_of(stack, program)
        assert "OWNER" not in given
        assert Secrets.load(stack.home).postgres not in given, program
    with psycopg.connect(stack.environment["HEMATOVISION_DATABASE_URL"]) as running:
        users = running.execute(
            "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'hematovision'"
        ).fetchall()
    assert users == [("hematovision_app",)]


def test_commands_that_change_no_table_forget_the_owner(stack):
    asked = "from django.db import connection as c; print(c.settings_dict['USER'])"
    env = beside(stack.stack.owner_environment)
    shell = [sys.executable, "-m", "webapp", "shell", "-c", asked]
    said = subprocess.run(shell, env=env, capture_output=True, text=True, check=True)
    assert said.stdout.split()[-1] == "hematovision_app"


def test_what_the_role_may_not_do_is_said_in_a_line(stack):
    asked = "from django.db import connection as c; c.cursor().execute('DELETE FROM audit_entry')"
    shell = [sys.executable, "-m", "webapp", "shell", "-c", asked]
    refused = subprocess.run(shell, env=beside(stack.environment), capture_output=True, text=True)
    assert refused.returncode == 1
    assert "may not do this: permission denied for table audit_entry" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_data_of_the_release_before_get_the_role(tmp_path):
    data = tmp_path / "postgres"
    account = Account.for_postgres(data)
    secrets = Secrets.load(tmp_path)
    prepare(tmp_path, account, secrets)
    old = "host all hematovision 127.0.0.1/32 scram-sha-256\n"
    (data / "pg_hba.conf").write_text(old)
    prepare(tmp_path, account, secrets)
    assert "hematovision,hematovision_app" in (data / "pg_hba.conf").read_text()
    assert owner(plugin.SETTINGS, secrets)
