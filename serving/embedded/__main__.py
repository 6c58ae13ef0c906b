"""``python -m serving.embedded --model-base FOLDER``: serve the models in FOLDER until told to stop."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from ipaddress import ip_address
from pathlib import Path

import structlog

from serving.contract import MAX_BATCH
from serving.embedded.credentials import ServerTls
from serving.embedded.server import EmbeddedServer, PortTakenError
from serving.manifest import Verifier

REQUIRE_TLS = "HEMATOVISION_REQUIRE_TLS"  # as the web and the workers read it


def main() -> int:
    options = _parse()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    try:
        asyncio.run(_serve(options))
    except PortTakenError as error:
        return _invalid(str(error))
    except OSError as error:
        return _invalid(
            f"TLS needs --certificate, --key and --client-ca that can be read and fit together: {error}"
        )
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m serving.embedded", description=__doc__)
    parser.add_argument(
        "--model-base",
        type=_folder,
        required=True,
        help="a folder NAME holding VERSION folders, or a folder of several such NAME folders",
    )
    trust = parser.add_mutually_exclusive_group(required=True)
    trust.add_argument(
        "--publisher", type=_publisher, help="file with the public key of whoever publishes versions here"
    )
    trust.add_argument(
        "--any-version", action="store_true", help="serve what nobody signed: for trying a version by hand"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8500, help="0 for any free one (default: %(default)s)")
    parser.add_argument(
        "--threads", type=_positive, default=os.cpu_count() or 1, help="default: one for each core"
    )
    parser.add_argument(
        "--max-waiting",
        type=_positive,
        default=8 * MAX_BATCH,
        help="images that may queue; a request beyond is rejected as UNAVAILABLE (default: %(default)s)",
    )
    parser.add_argument(
        "--poll-seconds", type=float, default=1.0, help="between looks at the folder (default: %(default)s)"
    )
    parser.add_argument("--certificate", type=Path, help="PEM, with its chain; without it, plain text")
    parser.add_argument("--key", type=Path, help="PEM, the certificate's private key")
    parser.add_argument(
        "--client-ca", type=Path, help="PEM; only clients with a certificate signed by it may ask (mTLS)"
    )
    options = parser.parse_args()
    if bool(options.certificate) != bool(options.key) or (options.client_ca and not options.certificate):
        parser.error("--certificate and --key go together, and --client-ca needs both")
    if not options.certificate and os.environ.get(REQUIRE_TLS) != "false" and not _is_loopback(options.host):
        parser.error(
            f"{options.host} is not loopback: give --certificate and --key, or allow plain text with "
            f"{REQUIRE_TLS}=false"
        )
    return options


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _invalid(reason: str) -> int:
    print(f"serving.embedded: {reason}", file=sys.stderr)  # noqa: T201
    return 1


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a folder")
    return path


def _publisher(text: str) -> Verifier:
    try:
        return Verifier.load(Path(text))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text} holds no public key: {error}") from error


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


async def _serve(options: argparse.Namespace) -> None:
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    async with EmbeddedServer(
        options.model_base,
        host=options.host,
        port=options.port,
        threads=options.threads,
        max_waiting=options.max_waiting,
        poll_s=options.poll_seconds,
        publisher=options.publisher,
        tls=ServerTls(options.certificate, options.key, options.client_ca) if options.certificate else None,
    ):
        await told_to_stop.wait()


if __name__ == "__main__":
    sys.exit(main())
