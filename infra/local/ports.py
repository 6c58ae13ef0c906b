"""Whether the ports of the stack are free."""

import socket

from infra.local.errors import StackError
from infra.local.settings import BLOCK, LOOPBACK, PREFIX, Settings


def check_free(settings: Settings) -> None:
    """Check that nothing listens where the stack will.

    Raises:
        StackError: something does; the message names the ports, what they are for, and the setting that moves
            them.
    """
    problems = []
    if not _free(settings.host, settings.web_port):
        problems.append(
            f"Port {settings.web_port}, meant for the web page, is taken by another program. "
            f"Stop that one, or set {PREFIX}WEB_PORT to a free port."
        )
    if taken := {name: port for name, port in settings.ports.items() if not _free(LOOPBACK, port)}:
        ports = ", ".join(f"{port} ({name})" for name, port in taken.items())
        problems.append(
            f"Taken by another program: port {ports}. "
            f"Stop that one, or set {PREFIX}BASE_PORT to the first of {len(BLOCK)} free ports in a row."
        )
    if problems:
        raise StackError("\n".join(problems))


def _free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
