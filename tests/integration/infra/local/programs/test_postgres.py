"""The database of the one-machine stack, made by whoever has to own it."""

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.config.secrets import Secrets
from infra.local.config.settings import Settings
from infra.local.programs import outside_folder, postgres
from infra.local.programs.os_account import Account
from infra.local.programs.postgres import BINARIES, make_data
from tests.support.present import present

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
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv takes capabilities away")
def test_in_a_container_what_its_account_cannot_enter_lies_outside(tmp_path: Path) -> None:
    """Containers keep the capability from root by which another account may pass through closed folders."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    taken = ("--bounding-set=-dac_read_search,-sys_admin", "--inh-caps=-all", "--ambient-caps=-all")
    code = (
        "import sys; from pathlib import Path; from infra.local.programs.os_account import Account;"
        "from infra.local.programs.postgres import data_link, prepare;"
        "from infra.local.config.secrets import Secrets;"
        "home = Path(sys.argv[1]); secrets = Secrets.load(home);"
        "[prepare(home, Account.for_postgres(data_link(home)), secrets) for _ in range(2)]"
    )
    try:
        made = subprocess.run(
            ["setpriv", *taken, sys.executable, "-c", code, closed], capture_output=True, text=True
        )
        assert made.returncode == 0, made.stderr
        data = (closed / "postgres").resolve()
        assert data.parent.parent == outside_folder.PLACE
        owner = present(Account.for_postgres(data))
        assert (data.stat().st_uid, data.stat().st_mode & 0o777) == (owner.uid, 0o700)
        assert closed.stat().st_mode & 0o777 == 0o700
        assert (data / "PG_VERSION").read_text() == "18\n"
        assert [path for path in outside_folder.abandoned() if path[0] == data.parent] == []
    finally:
        outside_folder.remove(closed / "postgres")


@root_only
def test_programs_that_its_account_may_not_run_are_copied(tmp_path: Path, monkeypatch) -> None:
    """As where the product lies in root's own home."""
    monkeypatch.setattr(postgres, "_reaches", lambda account, home: False)
    account = present(Account.for_postgres(tmp_path / "postgres"))
    try:
        postgres.prepare(tmp_path, account, Secrets())
        program = postgres.program(Settings(tmp_path), Secrets())
        assert program.argv[0].startswith(str(outside_folder.PLACE))
        asked = [program.argv[0], "--version"]
        said = subprocess.run(asked, capture_output=True, text=True, check=True, preexec_fn=account.become)
        assert said.stdout.startswith("postgres (PostgreSQL) 18")
    finally:
        outside_folder.remove(tmp_path / "postgres")


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
