"""``python -m serving.probe HOST:PORT``: whether a model server there has a model to answer with.

For health checks of containers; exits with 0 if so, else with 1 and the reason.
"""

import argparse
import sys
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.channel import ChannelTls, open_channel


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m serving.probe", description=__doc__)
    parser.add_argument("target", help="HOST:PORT")
    parser.add_argument("--ca", type=Path, help="PEM of who signed its certificate; without it, plain text")
    parser.add_argument("--certificate", type=Path, help="PEM, for a server that asks for one (mTLS)")
    parser.add_argument("--key", type=Path, help="PEM, the certificate's private key")
    parser.add_argument("--seconds", type=float, default=5, help="to wait for its answer (default: 5)")
    options = parser.parse_args()
    tls = ChannelTls(options.ca, options.certificate, options.key) if options.ca else None
    reason = _why_not(options.target, tls, options.seconds)
    if reason:
        print(reason, file=sys.stderr)  # noqa: T201
    return int(reason is not None)


def _why_not(target: str, tls: ChannelTls | None, seconds: float) -> str | None:
    with open_channel(target, tls) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=seconds, wait_for_ready=False
            )
        except grpc.RpcError as error:
            return f"{target}: {error.details()}"
    serving = answer.status == health_pb2.HealthCheckResponse.SERVING
    return None if serving else f"{target}: no model is loaded"


if __name__ == "__main__":
    sys.exit(main())
