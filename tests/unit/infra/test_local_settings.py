"""What the environment says about the one-machine stack, and what its programs are told."""

import json
import stat
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from infra.local.environment import environment, owner
from infra.local.errors import NotRunningError, StackError
from infra.local.programs import all_programs
from infra.local.secrets import Secrets
from infra.local.settings import BLOCK, LOOPBACK, Settings


def test_defaults_are_loopback_and_the_var_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment({})
    assert settings.home == tmp_path / "var"
    assert settings.url == "http://127.0.0.1:8000"
    assert not settings.beyond_loopback


def test_every_setting_is_read() -> None:
    settings = Settings.from_environment(
        {
            "HEMATOVISION_HOME": "/srv/hv",
            "HEMATOVISION_HOST": "0.0.0.0",
            "HEMATOVISION_PUBLIC_HOST": "lab.example",
            "HEMATOVISION_WEB_PORT": "8080",
            "HEMATOVISION_BASE_PORT": "19000",
        }
    )
    assert settings == Settings(Path("/srv/hv"), "0.0.0.0", "lab.example", 8080, 19000)
    assert settings.url == "http://lab.example:8080"
    assert settings.web_here == "http://127.0.0.1:8080"


@pytest.mark.parametrize("text", ["", "0", "80", "1023", "65536", "-8000", "8000.0", "8e3", "٨٠٠٠", " 8000"])
def test_only_ports_that_can_be_had_are_taken(text: str) -> None:
    environ = {"HEMATOVISION_WEB_PORT": text}
    if not text:
        assert Settings.from_environment(environ).web_port == 8000  # empty is unset
        return
    with pytest.raises(StackError, match="HEMATOVISION_WEB_PORT"):
        Settings.from_environment(environ)


def test_the_block_of_ports_must_fit() -> None:
    last = 65535 - 10_000 - len(BLOCK) + 1
    assert Settings.from_environment({"HEMATOVISION_BASE_PORT": str(last)}).base_port == last
    with pytest.raises(StackError, match="HEMATOVISION_BASE_PORT"):
        Settings.from_environment({"HEMATOVISION_BASE_PORT": str(last + 1)})


def test_no_two_programs_share_a_port(tmp_path: Path) -> None:
    ports = Settings(tmp_path).ports
    assert len(set(ports.values())) == len(ports)


def test_settings_are_found_again_by_other_commands(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="make up"):
        Settings.of_running(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "settings.json").write_text('{"web_port": ')
    with pytest.raises(StackError, match="damaged"):
        Settings.of_running(tmp_path)
    settings = Settings(tmp_path, web_port=8123)
    settings.save()
    assert Settings.of_running(tmp_path) == settings


def test_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    first = Secrets.load(tmp_path)
    assert Secrets.load(tmp_path) == first
    assert len(set(asdict(first).values())) == len(asdict(first))
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_a_secret_added_later_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(json.dumps({"postgres": "kept", "retired": "gone"}))
    secrets = Secrets.load(tmp_path)
    assert secrets.postgres == "kept"
    assert secrets.valkey
    saved = json.loads((tmp_path / "secrets.json").read_text())
    assert saved["postgres"] == "kept"
    assert "retired" not in saved


def test_programs_are_told_of_loopback_only(tmp_path: Path) -> None:
    env = environment(Settings(tmp_path), Secrets.load(tmp_path))
    for name in ("DATABASE_URL", "BROKER_URL", "S3_ENDPOINT", "S3_PUBLIC_ENDPOINT"):
        assert urlsplit(env[f"HEMATOVISION_{name}"]).hostname == LOOPBACK
    assert LOOPBACK in env["NO_PROXY"].split(",")


def test_a_site_keeps_its_own_proxy_exceptions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    env = environment(Settings(tmp_path), Secrets.load(tmp_path))
    assert env["no_proxy"].split(",") == ["intranet.example", LOOPBACK, "localhost"]


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_either_spelling_of_an_exception_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(name, "10.0.0.0/8, intranet.example")
    env = environment(Settings(tmp_path), Secrets.load(tmp_path))
    expected = ["10.0.0.0/8", "intranet.example", LOOPBACK, "localhost"]
    assert env["NO_PROXY"].split(",") == env["no_proxy"].split(",") == expected


def test_secrets_that_are_damaged_or_gone_are_not_made_anew(tmp_path: Path) -> None:
    for damaged in ("", "{", "[]", '{"postgres": 1}'):
        (tmp_path / "secrets.json").write_text(damaged)
        with pytest.raises(StackError, match=r"secrets\.json is damaged"):
            Secrets.load(tmp_path)
    (tmp_path / "secrets.json").unlink()
    Secrets.load(tmp_path)
    (tmp_path / "postgres").mkdir()
    for name in ("secrets.json", "data_keys"):
        text = (tmp_path / name).read_text()
        (tmp_path / name).unlink()
        with pytest.raises(StackError, match=f"{name} is gone"):
            Secrets.load(tmp_path)
        (tmp_path / name).write_text(text)


def test_only_commands_that_change_tables_are_told_of_their_owner(tmp_path: Path) -> None:
    settings, secrets = Settings(tmp_path), Secrets.load(tmp_path)
    assert urlsplit(owner(settings, secrets)["HEMATOVISION_DATABASE_OWNER_URL"]).username == "hematovision"
    for program in all_programs(settings, secrets).values():
        assert secrets.postgres not in str(dict(program.env)), program.name


def test_beyond_loopback_only_web_and_store_listen(tmp_path: Path) -> None:
    settings = Settings(tmp_path, host="192.0.2.7", public_host="lab.example")
    secrets = Secrets.load(tmp_path)
    programs = all_programs(settings, secrets)
    exposed = {name for name, program in programs.items() if "192.0.2.7" in " ".join(program.argv)}
    assert exposed == {"web", "s3-public"}
    env = environment(settings, secrets)
    public = urlsplit(env["HEMATOVISION_S3_PUBLIC_ENDPOINT"])
    assert (public.hostname, public.port) == ("lab.example", settings.port("s3-public"))
    assert urlsplit(env["HEMATOVISION_S3_ENDPOINT"]).hostname == LOOPBACK
    assert "lab.example" in env["HEMATOVISION_ALLOWED_HOSTS"].split(",")
    assert "http://lab.example:8000" in env["HEMATOVISION_WEB_ORIGINS"].split(",")


def test_on_loopback_the_store_is_not_opened(tmp_path: Path) -> None:
    assert "s3-public" not in all_programs(Settings(tmp_path), Secrets.load(tmp_path))


def test_no_secret_is_on_a_command_line(tmp_path: Path) -> None:
    secrets = Secrets.load(tmp_path)
    for program in all_programs(Settings(tmp_path), secrets).values():
        shown = " ".join(program.argv)
        assert not [name for name, value in asdict(secrets).items() if value in shown], program.name


def test_listening_everywhere_needs_a_name() -> None:
    with pytest.raises(StackError, match="HEMATOVISION_PUBLIC_HOST"):
        Settings.from_environment({"HEMATOVISION_HOST": "0.0.0.0"})
    named = {"HEMATOVISION_HOST": "0.0.0.0", "HEMATOVISION_PUBLIC_HOST": "lab.example"}
    assert Settings.from_environment(named).url == "http://lab.example:8000"
