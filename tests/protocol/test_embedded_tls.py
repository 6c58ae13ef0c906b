"""TLS between our client and the embedded server: who is rejected, and with which word."""

import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from infra.local.config import certificates
from serving.channel import ChannelTls
from serving.client import ModelUnavailable
from tests.support.embedded import RunningServer, embedded_server
from tests.support.model_client import model_client
from tests.support.tls import Authority, Pem

pytestmark = pytest.mark.enable_socket

IMAGE = np.zeros((1, 224, 224, 3), np.uint8)
HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("others"))


def serve(base: Path, pem: Pem, *more: str) -> AbstractContextManager[RunningServer]:
    return embedded_server(base, "--certificate", str(pem.certificate), "--key", str(pem.key), *more)


def ask(server: RunningServer, tls: ChannelTls | None) -> int:
    """The version that answers."""
    client = model_client(server.target, tls=tls, deadline_s=1)
    try:
        return client.predict(IMAGE).version
    finally:
        client.close()


def ready(server: RunningServer) -> RunningServer:
    server.event("version available", version=1)
    return server


def test_an_encrypted_answer(base: Path, ours: Authority) -> None:
    with serve(base, ours.issue(HOST)) as server:
        assert ask(ready(server), ChannelTls(ours.file)) == 1


def test_another_name_is_accepted_where_it_is_named(base: Path, ours: Authority) -> None:
    with serve(base, ours.issue("model.example")) as server:
        assert ask(ready(server), ChannelTls(ours.file, server_name="model.example")) == 1
        with pytest.raises(ModelUnavailable, match="Hostname Verification Check failed"):
            ask(server, ChannelTls(ours.file))


def test_what_cannot_be_trusted_gets_no_image(base: Path, ours: Authority, others: Authority) -> None:
    with serve(base, ours.issue(HOST)) as server:
        ready(server)
        with pytest.raises(ModelUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            ask(server, ChannelTls(others.file))
        with pytest.raises(ModelUnavailable):
            ask(server, None)
    with (
        serve(base, ours.issue(HOST, expired=True)) as server,
        pytest.raises(ModelUnavailable, match="certificate has expired"),
    ):
        ask(ready(server), ChannelTls(ours.file))
    with embedded_server(base) as server, pytest.raises(ModelUnavailable, match="WRONG_VERSION_NUMBER"):
        ask(ready(server), ChannelTls(ours.file))


def test_a_server_may_want_to_know_its_clients(base: Path, ours: Authority, others: Authority) -> None:
    with serve(base, ours.issue(HOST), "--client-ca", str(ours.file)) as server:
        ready(server)
        for authority, accepted in ((ours, True), (others, False)):
            pem = authority.issue("worker")
            tls = ChannelTls(ours.file, pem.certificate, pem.key)
            if accepted:
                assert ask(server, tls) == 1
            else:
                with pytest.raises(ModelUnavailable):
                    ask(server, tls)
        with pytest.raises(ModelUnavailable):
            ask(server, ChannelTls(ours.file))


def test_a_renewed_certificate_needs_no_restart(base: Path, ours: Authority, others: Authority) -> None:
    pem = ours.issue("renewed.example")
    with serve(base, pem) as server:
        ready(server)
        assert ask(server, ChannelTls(ours.file, server_name="renewed.example")) == 1

        new = others.issue(HOST)
        pem.certificate.write_bytes(new.certificate.read_bytes())
        # Its key is still to come.
        assert ask(server, ChannelTls(ours.file, server_name="renewed.example")) == 1
        server.event("certificate not read; the one before stays")
        pem.key.write_bytes(new.key.read_bytes())
        assert ask(server, ChannelTls(others.file)) == 1
        server.event("certificate replaced")


def test_a_client_takes_up_new_files(base: Path, ours: Authority, others: Authority, tmp_path: Path) -> None:
    ca = base / "ca.pem"
    ca.write_bytes(others.file.read_bytes())
    with serve(base, ours.issue(HOST)) as server:
        client = model_client(ready(server).target, tls=ChannelTls(ca), deadline_s=1)
        with pytest.raises(ModelUnavailable):
            client.predict(IMAGE)
        ca.write_bytes(ours.file.read_bytes())
        assert client.predict(IMAGE).version == 1
        ca.unlink()
        with pytest.raises(ModelUnavailable, match=r"ca\.pem"):
            client.predict(IMAGE)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--host", "0.0.0.0"], "not loopback"),
        (["--certificate", "{certificate}"], "go together"),
        (["--client-ca", "{ca}"], "needs both"),
        (["--certificate", "{certificate}", "--key", "{other_key}"], "fit together"),
        (["--certificate", "missing.pem", "--key", "{key}"], "TLS needs"),
    ],
)
def test_a_start_that_would_not_be_safe_is_rejected(
    tmp_path: Path, ours: Authority, arguments: list[str], word: str
) -> None:
    pem, other = ours.issue(HOST), ours.issue("other.example")
    names = {"certificate": pem.certificate, "key": pem.key, "other_key": other.key, "ca": ours.file}
    command = [
        sys.executable,
        "-m",
        "serving.embedded",
        "--any-version",
        "--model-base",
        str(tmp_path),
        "--port",
        "0",
    ]
    done = subprocess.run(
        [*command, *(argument.format(**names) for argument in arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_the_probe_shows_a_certificate_where_one_is_asked_for(base: Path, ours: Authority) -> None:
    own = ours.issue("localhost")
    tls = f"--ca={ours.file}", f"--certificate={own.certificate}", f"--key={own.key}"
    with serve(base, own, "--client-ca", str(ours.file)) as server:
        target = f"localhost:{ready(server).target.rpartition(':')[2]}"
        assert probe(target, *tls) == 0
        assert probe(target, tls[0]) == 1
        assert probe(target) == 1


def test_a_servers_certificate_is_none_of_a_clients(base: Path, tmp_path: Path) -> None:
    certificates.make(tmp_path, servers=["serving", "postgres"], clients=["product"])

    def shown(name: str) -> ChannelTls:
        return ChannelTls(tmp_path / "ca.pem", tmp_path / f"{name}.pem", tmp_path / f"{name}.key")

    own = Pem(tmp_path / "serving.pem", tmp_path / "serving.key")
    with serve(base, own, "--client-ca", str(tmp_path / "ca.pem")) as server:
        assert ask(ready(server), shown("product")) == 1
        with pytest.raises(ModelUnavailable):
            ask(server, shown("postgres"))


def probe(target: str, *options: str) -> int:
    command = [sys.executable, "-m", "serving.probe", target, "--seconds=3", *options]
    return subprocess.run(command, capture_output=True, timeout=30).returncode
