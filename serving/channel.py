"""How a connection to a model server is made, in plain text or with TLS."""

from dataclasses import dataclass
from pathlib import Path

import grpc

from serving.contract import MAX_MESSAGE_BYTES

# gRPC waits up to two minutes between attempts to reconnect; a supervisor has the server back in seconds.
_FIRST_RECONNECT_MS = 200
_LAST_RECONNECT_MS = 2_000
# A name may stand for several servers, as that of a headless service on Kubernetes: all of them are asked in
# turn. Who they are is looked up again whenever a connection ends, by default at most every 30 s.
_LOOK_UP_MS = 1_000


@dataclass(frozen=True)
class ChannelTls:
    """What a client needs to know to speak TLS to a model server; all files are PEM.

    Attributes:
        ca: certificates of those who may have signed the server's.
        certificate: ours, with its chain, for a server that asks for one (mTLS).
        key: the private key of `certificate`.
        server_name: the name in the server's certificate, where it is not the target's host.
    """

    ca: Path
    certificate: Path | None = None
    key: Path | None = None
    server_name: str | None = None

    def written(self) -> tuple[int, ...]:
        """When each file was last written: another answer means that a certificate was renewed.

        Raises:
            OSError: a file is not there.
        """
        return tuple(path.stat().st_mtime_ns for path in (self.ca, self.certificate, self.key) if path)

    def credentials(self) -> grpc.ChannelCredentials:
        """As gRPC takes them, read now. Raises OSError for a file that cannot be read."""
        return grpc.ssl_channel_credentials(
            root_certificates=self.ca.read_bytes(),
            private_key=self.key.read_bytes() if self.key else None,
            certificate_chain=self.certificate.read_bytes() if self.certificate else None,
        )


def open_channel(target: str, tls: ChannelTls | None = None) -> grpc.Channel:
    """A channel to `target` (``host:port``), in plain text without `tls`. It connects when first used."""
    options: list[tuple[str, int | str]] = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.lb_policy_name", "round_robin"),
        ("grpc.dns_min_time_between_resolutions_ms", _LOOK_UP_MS),
        ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", _LAST_RECONNECT_MS),
        # A model server is part of the installation: a site's proxy is not for it.
        ("grpc.enable_http_proxy", 0),
    ]
    if tls is None:
        return grpc.insecure_channel(target, options=options)
    if tls.server_name:
        options.append(("grpc.ssl_target_name_override", tls.server_name))
    return grpc.secure_channel(target, tls.credentials(), options=options)
