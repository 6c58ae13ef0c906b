"""Asks a port what it tells a caller who knows no secret, in every protocol that the stack speaks."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import grpc
import httpx

HOST = "127.0.0.1"
_SECONDS = 3
_HTTP = {
    "GET": (
        *("/", "/status", "/healthz", "/healthcheck", "/metrics", "/login", "/api/workers", "/api/tasks"),
        *("/dir/assign", "/dir/lookup?volumeId=1", "/dir/status", "/vol/status", "/vol/grow?count=1"),
        *("/col/delete?collection=x", "/cluster/status", "/stats/counter", "/ui/index.html", "/debug/pprof/"),
        *("/1,0100000000", "/buckets/", "/hematovision", "/hematovision?versions", "/maintenance/queue"),
    ),
    "POST": ("/", "/submit", "/?Action=CreateUser&UserName=x", "/hematovision", "/api/worker/shutdown/x"),
    "PUT": ("/1,0100000000", "/buckets/x", "/hematovision/x", "/hematovision?policy"),
    "DELETE": ("/1,0100000000", "/buckets/hematovision?recursive=true", "/hematovision/x"),
}
_GRPC = (
    "grpc.health.v1.Health/Check",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "master_pb.Seaweed/VolumeList",
    "master_pb.Seaweed/Assign",
    "volume_server_pb.VolumeServer/VolumeServerStatus",
    "filer_pb.SeaweedFiler/ListEntries",
    "filer_pb.SeaweedFiler/KvGet",
    "iam_pb.SeaweedIdentityAccessManagement/GetConfiguration",
    "s3_pb.SeaweedS3IamCache/PutIdentity",
    "worker_pb.WorkerService/WorkerStream",
    "plugin_pb.PluginControlService/WorkerStream",
    "tensorflow.serving.PredictionService/Predict",
    "tensorflow.serving.ModelService/GetModelStatus",
    "tensorflow.serving.ModelService/HandleReloadConfigRequest",
)
RESP = ("PING", "INFO", "CONFIG GET *")
_REFUSED = {401, 403, 404, 405}  # or nothing is there
_NOT_TLS = "Client sent an HTTP request to an HTTPS server"  # Go's answer, with status 400
_REFUSED_IN_HTTP_2 = "http2 header with status: 4"  # a server of web pages or objects
_SHUT = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}


def answers(port: int, ca: Path) -> set[str]:
    """What was answered other than by a refusal: `GET /status`, `gRPC grpc.health.v1.Health/Check`, `PING`.

    `ca` tells a server of ours by its certificate, which is no secret.
    """
    return {*_http(port), *_grpc(port, ca), *_resp(port)}


def _http(port: int) -> Iterator[str]:
    requests = [(method, path) for method, paths in _HTTP.items() for path in paths]
    for base in (f"http://{HOST}:{port}", f"https://{HOST}:{port}"):
        with httpx.Client(base_url=base, verify=False, trust_env=False, timeout=_SECONDS) as client:  # noqa: S501
            for method, path in requests:
                try:
                    answer = client.request(method, path)
                except (httpx.ConnectError, httpx.TimeoutException):
                    break  # it does not speak this at all
                except httpx.TransportError:
                    continue
                if answer.status_code not in _REFUSED and _NOT_TLS not in answer.text:
                    yield f"{method} {path}"


def _grpc(port: int, ca: Path) -> Iterator[str]:
    target = f"{HOST}:{port}"
    tls = grpc.ssl_channel_credentials(ca.read_bytes())
    for channel in (grpc.insecure_channel(target), grpc.secure_channel(target, tls)):
        with channel:
            try:
                grpc.channel_ready_future(channel).result(timeout=_SECONDS)
            except grpc.FutureTimeoutError:
                continue
            for method in _GRPC:
                try:
                    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/{method}")
                    call(b"", timeout=_SECONDS)
                except grpc.RpcError as error:
                    if error.code() in _SHUT or _REFUSED_IN_HTTP_2 in (error.details() or ""):
                        continue
                yield f"gRPC {method}"


def _resp(port: int) -> Iterator[str]:
    """Valkey's protocol, which other servers take for noise."""
    for command in RESP:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=_SECONDS) as connection:
            connection.sendall(f"{command}\r\n".encode())
            if connection.recv(100)[:1] in (b"+", b"$", b"*"):
                yield command
