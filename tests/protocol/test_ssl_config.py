"""The TLS configuration of tensorflow/serving, which holds what our client then trusts."""

import subprocess
import sys
from pathlib import Path

from google.protobuf import text_format

from serving.wire.serving_pb2 import SSLConfig
from tests.support.tls import Authority


def write(folder: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "serving.ssl_config", *map(str, arguments), str(folder / "ssl.config")]
    return subprocess.run(command, capture_output=True, text=True)


def test_it_holds_certificate_key_and_who_may_ask(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pem = authority.issue("model.example")
    done = write(tmp_path, "--certificate", pem.certificate, "--key", pem.key, "--client-ca", authority.file)
    assert done.returncode == 0, done.stderr
    config = text_format.Parse((tmp_path / "ssl.config").read_text(), SSLConfig())
    assert config.server_cert == pem.certificate.read_text()
    assert config.server_key == pem.key.read_text()
    assert (config.custom_ca, config.client_verify) == (authority.file.read_text(), True)
    assert (tmp_path / "ssl.config").stat().st_mode & 0o777 == 0o600


def test_a_key_of_another_certificate_is_rejected(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pem, other = authority.issue("model.example"), authority.issue("other.example")
    refused = write(tmp_path, "--certificate", pem.certificate, "--key", other.key)
    assert refused.returncode == 1
    assert "mismatch" in refused.stderr
    assert not (tmp_path / "ssl.config").exists()
