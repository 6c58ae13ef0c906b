"""What the environment says about the one-machine stack, and what its programs are told."""

import json
import stat
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from infra.local.config.environment import environment, owner
from infra.local.config.secrets import Secrets
from infra.local.config.settings import BLOCK, LOOPBACK, Settings
from infra.local.errors import NotRunningError, StackError
from infra.local.programs.caddy import caddyfile
from infra.local.programs.catalogue import all_programs


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
    assert settings.url == "https://lab.example:8080"
    assert settings.web_here == "https://127.0.0.1:8080"


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
    assert exposed == set()
    assert caddyfile(settings).count("bind 192.0.2.7\n") == 2
    env = environment(settings, secrets)
    public = urlsplit(env["HEMATOVISION_S3_PUBLIC_ENDPOINT"])
    assert (public.scheme, public.hostname) == ("https", "lab.example")
    assert public.port == settings.port("s3-public")
    assert (env["HEMATOVISION_HTTPS"], env["HEMATOVISION_REQUIRE_TLS"]) == ("true", "true")
    assert urlsplit(env["HEMATOVISION_S3_ENDPOINT"]).hostname == LOOPBACK
    assert "lab.example" in env["HEMATOVISION_ALLOWED_HOSTS"].split(",")
    assert "https://lab.example:8000" in env["HEMATOVISION_WEB_ORIGINS"].split(",")


def test_plain_text_beyond_loopback_must_be_asked_for(tmp_path: Path) -> None:
    beyond = {"HEMATOVISION_HOME": str(tmp_path), "HEMATOVISION_HOST": "192.0.2.7"}
    assert Settings.from_environment(beyond).url == "https://192.0.2.7:8000"
    plain = Settings.from_environment({**beyond, "HEMATOVISION_PLAIN_HTTP": "true"})
    assert plain.url == "http://192.0.2.7:8000"
    assert plain.authority is None
    env = environment(plain, Secrets.load(tmp_path))
    assert env["HEMATOVISION_REQUIRE_TLS"] == "false"
    assert "HEMATOVISION_HTTPS" not in env
    with pytest.raises(StackError, match="true or false"):
        Settings.from_environment({**beyond, "HEMATOVISION_PLAIN_HTTP": "yes"})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "0:0:0:0:0:0:0:1"])
def test_on_loopback_nobody_needs_a_certificate(host: str) -> None:
    assert Settings.from_environment({"HEMATOVISION_HOST": host}).scheme == "http"


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    """A certificate and its key, in files."""
    issued = trustme.CA().issue_cert("lab.example")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "web.pem")
    issued.private_key_pem.write_to_path(tmp_path / "web.key")
    return str(tmp_path / "web.pem"), str(tmp_path / "web.key")


def test_a_given_certificate_is_used_wherever_we_listen(pair: tuple[str, str], tmp_path: Path) -> None:
    given = {"HEMATOVISION_CERTIFICATE": pair[0], "HEMATOVISION_CERTIFICATE_KEY": pair[1]}
    given["HEMATOVISION_HOME"] = str(tmp_path)
    settings = Settings.from_environment(given)
    assert (settings.scheme, settings.authority) == ("https", None)
    assert f'tls "{pair[0]}" "{pair[1]}"' in caddyfile(settings)
    env = environment(settings, Secrets.load(tmp_path))
    serving = f"127.0.0.1:{settings.port('serving')}"
    assert env["HEMATOVISION_WATCHED_CERTIFICATES"].split(",") == [serving, "127.0.0.1:8000"]


def test_a_certificate_that_is_invalid_is_told_in_one_line(pair: tuple[str, str]) -> None:
    certificate, key = pair
    for given in (
        {"CERTIFICATE": certificate},
        {"CERTIFICATE_KEY": key},
        {"CERTIFICATE": certificate, "CERTIFICATE_KEY": "/nowhere"},
        {"CERTIFICATE": key, "CERTIFICATE_KEY": key},
        {"CERTIFICATE": certificate, "CERTIFICATE_KEY": certificate},
        {"CERTIFICATE": certificate, "CERTIFICATE_KEY": key, "PLAIN_HTTP": "true"},
    ):
        with pytest.raises(StackError, match="HEMATOVISION_CERTIFICATE") as told:
            Settings.from_environment({f"HEMATOVISION_{name}": value for name, value in given.items()})
        assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize("host", ["::1", "[::1]", "2001:db8::7", "[2001:DB8:0::7]"])
def test_ipv6_is_written_in_brackets_where_it_is_part_of_an_address(tmp_path: Path, host: str) -> None:
    settings = Settings.from_environment({"HEMATOVISION_HOME": str(tmp_path), "HEMATOVISION_HOST": host})
    address = str(ip_address(host.strip("[]")))
    assert (settings.host, urlsplit(settings.url).hostname) == (address, address)
    assert f"//[{address}]:8000" in settings.url
    env = environment(settings, Secrets.load(tmp_path))
    assert f"[{address}]" in env["HEMATOVISION_ALLOWED_HOSTS"].split(",")
    assert settings.url in env["HEMATOVISION_WEB_ORIGINS"].split(",")
    assert f"//[{address}]:{settings.port('s3-public')}" in env["HEMATOVISION_S3_PUBLIC_ENDPOINT"]


@pytest.mark.parametrize("name", ["HOST", "PUBLIC_HOST"])
@pytest.mark.parametrize(
    "text", ["https://lab.example", "lab.example:8000", "fe80::1%eth0", "a b", "[::1", "-x"]
)
def test_what_is_no_host_is_rejected(name: str, text: str) -> None:
    with pytest.raises(StackError, match=f"HEMATOVISION_{name} is"):
        Settings.from_environment({f"HEMATOVISION_{name}": text})


def test_everywhere_means_ipv6_too() -> None:
    environ = {"HEMATOVISION_HOST": "::", "HEMATOVISION_PUBLIC_HOST": "2001:db8::7"}
    settings = Settings.from_environment(environ)
    assert settings.web_here == "https://[::1]:8000"
    assert {"::1", "127.0.0.1", "localhost", "2001:db8::7"} == set(settings.names)


def test_proxies_of_the_site_are_counted_with_ours(tmp_path: Path) -> None:
    environ = {"HEMATOVISION_HOME": str(tmp_path), "HEMATOVISION_PROXIES": "1"}
    settings = Settings.from_environment(environ)
    assert environment(settings, Secrets.load(tmp_path))["HEMATOVISION_PROXIES"] == "2"
    assert "trusted_proxies" in caddyfile(settings)
    assert "trusted_proxies" not in caddyfile(Settings(tmp_path))


def test_no_secret_is_on_a_command_line(tmp_path: Path) -> None:
    secrets = Secrets.load(tmp_path)
    for program in all_programs(Settings(tmp_path), secrets).values():
        shown = " ".join(program.argv)
        assert not [name for name, value in asdict(secrets).items() if value in shown], program.name


def test_listening_everywhere_needs_a_name() -> None:
    with pytest.raises(StackError, match="HEMATOVISION_PUBLIC_HOST"):
        Settings.from_environment({"HEMATOVISION_HOST": "0.0.0.0"})
    named = {"HEMATOVISION_HOST": "0.0.0.0", "HEMATOVISION_PUBLIC_HOST": "lab.example"}
    assert Settings.from_environment(named).url == "https://lab.example:8000"


def test_the_web_page_has_a_port_of_its_own():
    environ = {"HEMATOVISION_WEB_PORT": "28610", "HEMATOVISION_BASE_PORT": "28600"}
    with pytest.raises(StackError, match=r"Port 28610, meant for the web page, is that of .+, too"):
        Settings.from_environment(environ)
