"""What keeps a program from starting is said in a sentence, never in a traceback."""

from pathlib import Path

import pytest

from infra.local.config.secrets import Secrets
from infra.local.config.settings import Settings
from infra.local.errors import StackError
from infra.local.programs import outside_folder, postgres
from infra.local.programs.catalogue import all_programs


def test_a_socket_of_another_accounts_store(tmp_path: Path) -> None:
    settings = Settings(tmp_path, base_port=1024)  # below what the tests take
    left = Path(f"/tmp/seaweedfs-filer-grpc-{settings.port('seaweedfs-filer-grpc')}.sock")  # noqa: S108
    left.mkdir()  # root removes every file
    try:
        with pytest.raises(StackError, match=f"{left} belongs to another account.*HEMATOVISION_BASE_PORT"):
            all_programs(settings, Secrets())["seaweedfs"].prepare()
    finally:
        left.rmdir()


@pytest.mark.parametrize("special", ['"', "$", "`", "\\"])
def test_folders_from_which_postgresql_cannot_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, special: str
) -> None:
    monkeypatch.setattr(postgres, "BINARIES", tmp_path / f"a{special}b")
    with pytest.raises(StackError, match="another folder"):
        postgres.prepare(tmp_path, None, Secrets())


def test_a_folder_outside_is_known_by_what_leads_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside_folder, "PLACE", tmp_path / "lib")
    link = tmp_path / "var" / "postgres"
    link.parent.mkdir()
    outside_folder.make(link)
    folder = link.readlink().parent
    assert folder.stat().st_mode & 0o777 == 0o711
    assert list(outside_folder.abandoned()) == []

    link.rename(tmp_path / "moved")
    assert list(outside_folder.abandoned()) == [(folder, str(link))]
    outside_folder.own(tmp_path / "moved")
    assert list(outside_folder.abandoned()) == []

    outside_folder.remove(tmp_path / "moved")
    assert not folder.exists()
    with pytest.raises(StackError, match="which is gone"):
        outside_folder.own(tmp_path / "moved")


def test_where_there_can_be_no_folder_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(outside_folder, "PLACE", tmp_path / "file" / "lib")
    with pytest.raises(StackError, match="no folder can be made"):
        outside_folder.make(tmp_path / "postgres")
    assert not (tmp_path / "postgres").is_symlink()
