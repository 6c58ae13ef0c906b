"""How a connection to a model server is made."""

import grpc

from serving.contract import MAX_MESSAGE_BYTES

# gRPC waits up to two minutes between attempts to reconnect; a supervisor has the server back in seconds.
_FIRST_RECONNECT_MS = 200
_LAST_RECONNECT_MS = 2_000
# A name may stand for several servers, as that of a headless service on Kubernetes: all of them are asked in
# turn. Who they are is looked up again whenever a connection ends, by default at most every 30 s.
_LOOK_UP_MS = 1_000


def open_channel(target: str) -> grpc.Channel:
    """A channel to `target` (``host:port``). It connects when first used."""
    return grpc.insecure_channel(
        target,
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.lb_policy_name", "round_robin"),
            ("grpc.dns_min_time_between_resolutions_ms", _LOOK_UP_MS),
            ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
            ("grpc.max_reconnect_backoff_ms", _LAST_RECONNECT_MS),
        ],
    )
