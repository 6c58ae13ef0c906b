"""The certificates by which the programs of one machine know one another, and the key that signs models."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from typer.testing import CliRunner

from infra.commands import cli
from infra.local.config import authority, certificates
from infra.local.config.settings import Settings
from serving.manifest import Publisher


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(tmp_path)
    authority.make(settings)
    return settings


def contents(settings: Settings) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in settings.certificates.iterdir()}


def test_keys_are_for_the_stacks_account_alone(settings: Settings) -> None:
    assert stat.S_IMODE(settings.certificates.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in settings.certificates.iterdir()} == {0o600}


def test_a_start_leaves_them_as_they_are(settings: Settings) -> None:
    before = contents(settings)
    authority.make(settings)
    assert contents(settings) == before


def test_they_outlast_any_run_and_are_made_anew_in_their_second_half(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(settings)
    for name in (authority.STORE, authority.MODEL_SERVER, authority.PRODUCT):
        ends = x509.load_pem_x509_certificate(before[f"{name}.pem"]).not_valid_after_utc
        assert ends - datetime.now(UTC) > timedelta(days=9 * 365)

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=certificates.AUTHORITY_DAYS // 2 + 1)

    monkeypatch.setattr(certificates, "datetime", Later)
    authority.make(settings)
    after = contents(settings)
    assert not [name for name in before if after[name] == before[name]]


@pytest.mark.parametrize("name", ["ca", authority.STORE, authority.PRODUCT])
@pytest.mark.parametrize("suffix", ["pem", "key"])
@pytest.mark.parametrize("exchanged", [False, True], ids=["damaged", "of another pair"])
def test_what_is_damaged_or_half_made_is_made_anew(
    settings: Settings, tmp_path: Path, name: str, suffix: str, *, exchanged: bool
) -> None:
    other = Settings(tmp_path / "other")
    other.home.mkdir()
    authority.make(other)
    file = f"{name}.{suffix}"
    (settings.certificates / file).write_bytes(contents(other)[file] if exchanged else b"-----BEGIN")
    authority.make(settings)
    made = contents(settings)
    authority.make(settings)
    assert contents(settings) == made
    ca = x509.load_pem_x509_certificate(made["ca.pem"])
    for one in (authority.STORE, authority.MODEL_SERVER, authority.PRODUCT):
        certificate = x509.load_pem_x509_certificate(made[f"{one}.pem"])
        certificate.verify_directly_issued_by(ca)
        key = serialization.load_pem_private_key(made[f"{one}.key"], password=None)
        assert key.public_key() == certificate.public_key()


def test_certificates_of_an_authority_before_are_made_anew(settings: Settings) -> None:
    before = contents(settings)
    (settings.certificates / "ca.pem").unlink()
    certificates.make(settings.certificates, ())  # and ended there
    authority.make(settings)
    assert not set(before.values()) & set(contents(settings).values())


def test_both_halves_of_a_new_key_are_printed() -> None:
    said = CliRunner().invoke(cli.app, ["keys", "publisher"])
    assert said.exit_code == 0
    values = dict(line.split("=") for line in said.output.splitlines())
    assert Publisher(values["MODEL_KEY"]).public == values["publisher"]
