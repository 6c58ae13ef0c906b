"""The database of the one-machine stack, made by whoever has to own it."""

import os
import pwd
import subprocess
from pathlib import Path

import pytest

from infra.local.account import Account
from infra.local.postgres import BINARIES, make_data
from infra.local.secrets import Secrets

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs programs as somebody else")


@pytest.fixture
def nobody() -> Account:
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


@root_only
def test_another_account_makes_it_where_only_root_may_pass(tmp_path: Path, nobody: Account) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    data = closed / "postgres"
    make_data(data, BINARIES, nobody, Secrets())
    assert data.stat().st_uid == nobody.uid
    assert data.stat().st_mode & 0o777 == 0o700
    asked = subprocess.run(
        [BINARIES / "postgres", "--single", "-D", data, "hematovision"],
        input="SELECT rolname, rolsuper, rolcreatedb FROM pg_authid WHERE rolcanlogin",
        capture_output=True,
        text=True,
        preexec_fn=nobody.become,
    )
    assert 'rolname = "hematovision"' in asked.stdout
    assert 'rolname = "hematovision_app"' in asked.stdout
    assert (data / "pg_hba.conf").read_text().split() == [
        *("host", "all", "hematovision,hematovision_app", "127.0.0.1/32", "scram-sha-256")
    ]


@root_only
def test_existing_data_stays_with_its_owner(tmp_path: Path, nobody: Account) -> None:
    os.chown(tmp_path, nobody.uid, nobody.gid)
    assert Account.for_postgres(tmp_path) == nobody


@root_only
def test_root_runs_it_as_somebody_else(tmp_path: Path) -> None:
    account = Account.for_postgres(tmp_path / "new")
    assert account is not None
    assert account.uid != 0


def test_an_interrupted_making_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "postgres.new" / "base").mkdir(parents=True)
    data = tmp_path / "postgres"
    make_data(data, BINARIES, Account.for_postgres(data), Secrets())
    version = (data / "PG_VERSION").read_text()
    made = (data / "PG_VERSION").stat().st_mtime_ns
    make_data(data, BINARIES, Account.for_postgres(data), Secrets())
    assert version.strip() == "18"
    assert (data / "PG_VERSION").stat().st_mtime_ns == made
    assert not (tmp_path / "postgres.new").exists()
