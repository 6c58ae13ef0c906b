"""What `docker compose run --rm set-up` makes."""

import json
import ssl
import stat
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from google.protobuf import text_format

from infra.compose.set_up import CLIENTS, SERVICES, make
from infra.local.config import certificates
from serving.manifest import Publisher
from serving.wire.serving_pb2 import SSLConfig


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make(tmp_path / "secrets")
    return tmp_path / "secrets"


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_only_its_owner_reads_any_of_it(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_the_second_time_changes_nothing(folder: Path) -> None:
    before = contents(folder)
    assert make(folder) == []
    assert contents(folder) == before


def test_both_sides_of_a_lock_get_the_same_key(folder: Path) -> None:
    files = contents(folder)
    assert urlsplit(files["DATABASE_URL"]).password == files["HEMATOVISION_APP_PASSWORD"]
    assert urlsplit(files["DATABASE_OWNER_URL"]).password == files["HEMATOVISION_PASSWORD"]
    assert f">{urlsplit(files['BROKER_URL']).password} " in files["redis.acl"]
    ((credentials,),) = (one["credentials"] for one in json.loads(files["s3.json"])["identities"])
    assert credentials == {"accessKey": files["S3_ACCESS_KEY"], "secretKey": files["S3_SECRET_KEY"]}
    assert Publisher(files["MODEL_KEY"]).public == files["publisher"]
    assert len(tomllib.loads(files["security.toml"])["s3"]["sse"]["kek"]) == 64


def test_what_was_replaced_by_hand_stays_and_what_was_lost_comes_back_the_same(folder: Path) -> None:
    (folder / "DATABASE_URL").write_text("postgresql://elsewhere/db")
    lost = (folder / "redis.acl").read_text()
    (folder / "redis.acl").unlink()

    assert make(folder) == ["redis.acl"]

    assert (folder / "DATABASE_URL").read_text() == "postgresql://elsewhere/db"
    assert (folder / "redis.acl").read_text() == lost


def test_the_release_before_had_one_role_which_becomes_the_owner(folder: Path) -> None:
    ours, owner = (folder / "DATABASE_URL").read_text(), (folder / "DATABASE_OWNER_URL").read_text()
    (folder / "DATABASE_OWNER_URL").rename(folder / "DATABASE_URL")
    make(folder)
    assert (folder / "DATABASE_OWNER_URL").read_text() == owner
    assert (folder / "DATABASE_URL").read_text() == ours


def test_a_database_of_ones_own_stays_what_it_was(folder: Path) -> None:
    (folder / "DATABASE_OWNER_URL").unlink()
    (folder / "DATABASE_URL").write_text("postgresql://elsewhere/db")
    make(folder)
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        assert (folder / name).read_text() == "postgresql://elsewhere/db"


@pytest.mark.parametrize("service", SERVICES)
def test_certificates_are_for_the_service_and_signed_by_the_authority(folder: Path, service: str) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / f"{service}.pem", folder / f"{service}.key")
    client = ssl.create_default_context(cafile=str(folder / "ca.pem"))

    shake_hands(client, server, service)
    shake_hands(client, server, "localhost")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(client, server, "elsewhere")


def test_certificates_are_renewed_before_they_run_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(folder)
    monkeypatch.setattr(certificates, "RENEW_DAYS", certificates.SERVICE_DAYS + 1)

    assert make(folder) == [*sorted({*SERVICES, *CLIENTS}), "serving-ssl.config"]

    after = contents(folder)
    assert after["ca.pem"] == before["ca.pem"]
    assert after["postgres.pem"] != before["postgres.pem"]
    config = text_format.Parse(after["serving-ssl.config"], SSLConfig())
    assert (config.server_cert, config.server_key) == (after["serving.pem"], after["serving.key"])
    assert (config.client_verify, config.custom_ca) == (True, after["ca.pem"])
    ends = x509.load_pem_x509_certificate(after["postgres.pem"].encode()).not_valid_after_utc
    assert ends - datetime.now(UTC) > timedelta(days=certificates.SERVICE_DAYS - 1)


@pytest.mark.parametrize("name", sorted({*SERVICES, *CLIENTS}))
def test_a_certificate_is_good_for_what_it_was_made_for_alone(folder: Path, name: str) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "serving.pem", folder / "serving.key")
    server.load_verify_locations(folder / "ca.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    client.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    if name in CLIENTS:
        shake_hands(client, server, "serving")
    else:
        with pytest.raises(ssl.SSLError, match="unsuitable certificate purpose"):
            shake_hands(client, server, "serving")


def test_certificates_of_earlier_releases_are_made_anew(folder: Path) -> None:
    """Those were for servers alone, and for no address."""
    certificates.make(folder, ["seaweedfs"])
    before = contents(folder)
    assert make(folder) == ["seaweedfs"]
    assert contents(folder)["ca.pem"] == before["ca.pem"]


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> None:
    """A TLS handshake in memory. Raises SSLError as a connection would."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (ours, theirs, ours, theirs):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
