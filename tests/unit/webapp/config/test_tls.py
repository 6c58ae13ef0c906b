"""Settings about TLS: what is invalid at the start, and in which words."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.support.settings import read_settings
from webapp.config import tls
from webapp.config.environment import PREFIX

Read = Callable[..., dict[str, Any]]

NEEDED = {
    "SECRET_KEY": "abcdefghij" * 6,
    "DATABASE_URL": "postgresql://a:secret-word@127.0.0.1/x",
    "BROKER_URL": "redis://:secret-word@127.0.0.1/0",
    "S3_ENDPOINT": "http://127.0.0.1:1",
    "S3_ACCESS_KEY": "a",
    "S3_SECRET_KEY": "secret-word",
    "SERVING_TARGET": "127.0.0.1:1",
    "DATA_KEYS": f"2026-01-01-test:{0:043d}=",
}
FILE = str(Path(__file__).resolve())
PRODUCTION = {
    "DATABASE_URL": "postgresql://a:secret-word@db.example/x",
    "DATABASE_CA": FILE,
    "BROKER_URL": "rediss://:secret-word@broker.example/0",
    "S3_ENDPOINT": "https://s3.example",
    "SERVING_TARGET": "dns:///model.example:8500",
    "SERVING_CA": FILE,
    "ALLOWED_HOSTS": "hematovision.example",
    "HTTPS": "true",
    "PROXIES": "1",
}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read the settings anew, with these over those that are needed."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)

    def read(**values: str) -> dict[str, Any]:
        for name, value in {**NEEDED, **values}.items():
            if value:
                monkeypatch.setenv(PREFIX + name, value)
        return read_settings()

    return read


def test_production_passes_djangos_check_for_deployment() -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    given = {PREFIX + name: value for name, value in {**NEEDED, **PRODUCTION}.items()}
    done = subprocess.run(
        [sys.executable, "-m", "webapp", "check", "--deploy", "--fail-level", "WARNING"],
        env={**inherited, **given},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_one_machine_needs_no_tls(read: Read) -> None:
    assert read()["SECURE_SSL_REDIRECT"] is False


@pytest.mark.parametrize(
    ("change", "name", "remedy"),
    [
        ({"DATABASE_CA": ""}, "DATABASE_URL", "DATABASE_CA"),
        (
            {"DATABASE_URL": "postgresql://db.example/x?sslmode=require", "DATABASE_CA": ""},
            "DATABASE_URL",
            "_CA",
        ),
        ({"BROKER_URL": "redis://:secret-word@broker.example/0"}, "BROKER_URL", "rediss://"),
        ({"CACHE_URL": "redis://cache.example/0"}, "CACHE_URL", "rediss://"),
        ({"S3_ENDPOINT": "http://s3.example"}, "S3_ENDPOINT", "https://"),
        ({"S3_PUBLIC_ENDPOINT": "http://s3.example"}, "S3_PUBLIC_ENDPOINT", "https://"),
        ({"SERVING_CA": ""}, "SERVING_TARGET", "SERVING_CA"),
        ({"HTTPS": "false"}, "ALLOWED_HOSTS", "HTTPS=true"),
        ({"PROXIES": "0"}, "HTTPS", "PROXIES"),
        ({"BROKER_CERTIFICATE": FILE}, "BROKER_KEY", "both or neither"),
        ({"S3_CA": "/nowhere.pem"}, "S3_CA", "can be read: No such file"),
    ],
)
def test_each_way_of_plain_text_is_named(read: Read, change: dict[str, str], name: str, remedy: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"HEMATOVISION_{name}") as refusal:
        read(**{**PRODUCTION, **change})
    line = str(refusal.value)
    assert remedy in line
    assert "secret-word" not in line
    assert "\n" not in line


def test_plain_text_can_be_allowed_but_not_files_without_use(read: Read) -> None:
    plain = {"REQUIRE_TLS": "false", "BROKER_URL": "redis://broker.example/0"}
    assert read(**plain)["BROKER_OPTIONS"] == {}
    with pytest.raises(
        ImproperlyConfigured, match="BROKER has files for TLS, but HEMATOVISION_BROKER_URL is plain"
    ):
        read(**plain, BROKER_CA=FILE)


def test_a_key_put_where_a_path_belongs_is_not_shown(read: Read) -> None:
    with pytest.raises(ImproperlyConfigured, match="HEMATOVISION_DATABASE_CA must name a file") as refusal:
        read(DATABASE_CA="-----BEGIN secret-word")
    assert "secret-word" not in str(refusal.value)


def test_https_is_for_good_and_cookies_for_this_host_alone(read: Read) -> None:
    found = read(**PRODUCTION)
    for cookie in ("SESSION", "CSRF"):
        assert found[f"{cookie}_COOKIE_NAME"].startswith("__Host-")
        assert found[f"{cookie}_COOKIE_SECURE"]
        assert found[f"{cookie}_COOKIE_HTTPONLY"]
        assert found[f"{cookie}_COOKIE_SAMESITE"] == "Lax"
    assert found["SECURE_HSTS_SECONDS"] >= 31_536_000


def test_what_a_client_says_of_https_is_believed_behind_a_proxy_only(read: Read) -> None:
    assert read(PROXIES="1")["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
    assert read(PROXIES="0")["SECURE_PROXY_SSL_HEADER"] is None


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.2", True),
        ("[::1]", True),
        ("", True),
        ("/run/postgresql", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("*", False),
    ],
)
def test_loopback_is_told_apart(host: str, here: bool) -> None:
    assert tls.is_loopback(host) is here


@pytest.mark.parametrize("served", [{}, PRODUCTION], ids=["plain", "https"])
def test_two_installations_on_one_host_have_no_cookie_in_common(read: Read, served: dict[str, str]) -> None:
    """Browsers send a host's cookies to all its ports; two of one name would end each other's sessions."""

    def names(key: str) -> set[str]:
        found = read(**served, SECRET_KEY=key * 5)
        assert found["MESSAGE_STORAGE"].endswith("SessionStorage")  # has no cookie
        return {value for name, value in found.items() if name.endswith("_COOKIE_NAME")}

    one, again, other = names("aB3dE5gH1j"), names("aB3dE5gH1j"), names("zY9xW7vU5t")
    assert one == again
    assert len(one) == 3
    assert one & other == set()
    assert all(name.startswith("__Host-") == bool(served) for name in one)
