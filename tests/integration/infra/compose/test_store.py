"""SeaweedFS with the command and the certificates of docker-compose.yml: what the network meets."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import boto3
import psutil
import pytest
import yaml
from botocore.config import Config

from infra.compose.set_up import make
from tests.support import open_ports
from tests.support.stack import free_settings

ROOT = Path(__file__).parents[4]
SERVICE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["seaweedfs"]
START_S = 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make(tmp_path / "secrets")
    # As the container names them.
    for kind in ("pem", "key"):
        (tmp_path / "secrets" / f"certificate.{kind}").symlink_to(f"seaweedfs.{kind}")
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[tuple[psutil.Process, int]]:
    """The running store and its S3 port."""

    def here(text: str) -> str:
        return text.replace("/run/secrets", str(folder / "secrets")).replace("=/data", f"={folder}")

    ports = free_settings(folder)
    moved = {
        **{f"{part}.port": ports.port(f"seaweedfs-{part}") for part in ("master", "volume", "filer")},
        **{
            f"{part}.port.grpc": ports.port(f"seaweedfs-{part}-grpc")
            for part in ("master", "volume", "filer")
        },
        "s3.port": ports.port("s3"),
        "s3.port.grpc": ports.port("s3-grpc"),
    }
    given = [here(option) for option in SERVICE["command"] if option.lstrip("-").split("=")[0] not in moved]
    with (folder / "log").open("w") as log:
        process = psutil.Popen(
            [
                Path(sys.executable).with_name("weed"),
                *given,
                *(f"-{name}={port}" for name, port in moved.items()),
                *(f"-{part}.localSocket={folder}/{part}.sock" for part in ("filer", "s3")),
            ],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                **{name: here(value) for name, value in SERVICE["environment"].items()},
            },
            cwd=folder / "secrets",  # where it finds security.toml
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            deadline = time.monotonic() + START_S
            while not {moved["s3.port"], moved["s3.port.grpc"]} <= {port for _, port in listening(process)}:
                assert time.monotonic() < deadline, (folder / "log").read_text(errors="replace")
                time.sleep(0.2)
            yield process, moved["s3.port"]
        finally:
            process.kill()
            process.wait()


def listening(process: psutil.Process) -> set[tuple[str, int]]:
    return {
        (connection.laddr.ip.removeprefix("::ffff:"), connection.laddr.port)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


def test_the_network_meets_s3_alone_and_what_else_it_meets_is_locked(
    store: tuple[psutil.Process, int], folder: Path
) -> None:
    process, s3 = store
    met = {port for host, port in listening(process) if not ip_address(host).is_loopback}
    assert s3 in met
    open_doors = {port: open_ports.answers(port, folder / "secrets" / "ca.pem") for port in met}
    assert open_doors.pop(s3) <= {"GET /status", "GET /healthz"}
    assert open_doors
    assert not any(open_doors.values()), open_doors


def test_the_largest_picture_comes_back(store: tuple[psutil.Process, int], folder: Path) -> None:
    _, port = store
    (identity,) = json.loads((folder / "secrets" / "s3.json").read_text())["identities"]
    (keys,) = identity["credentials"]
    client = boto3.client(
        "s3",
        endpoint_url=f"https://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id=keys["accessKey"],
        aws_secret_access_key=keys["secretKey"],
        verify=str(folder / "secrets" / "ca.pem"),
        config=Config(proxies={}, retries={"total_max_attempts": 8}),
    )
    body = secrets.token_bytes(20 * 1024 * 1024)
    client.create_bucket(Bucket="pictures")
    client.put_object(Bucket="pictures", Key="a", Body=body, ServerSideEncryption="AES256")
    assert client.get_object(Bucket="pictures", Key="a")["Body"].read() == body
