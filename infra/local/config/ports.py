"""Whether the ports of the stack are free."""

import errno
import socket

from infra.language import _
from infra.local.config.settings import BLOCK, LOOPBACK, Settings
from infra.local.errors import StackError

# Beside the web page, what people reach from elsewhere.
_PUBLIC = ("s3-public",)


def check_free(settings: Settings) -> None:
    """Check that nothing listens where the stack will.

    Raises:
        StackError: something does; the message names the ports, what they are for, and the setting that moves
            them. Or the host is no address of this machine.
    """
    problems = []
    if not _free(settings.host, settings.web_port):
        problems.append(
            _(
                "Port %(web_port)s, meant for the web page, is taken by another program. Stop that one, "
                "or set HEMATOVISION_WEB_PORT to a free port."
            )
            % {"web_port": settings.web_port}
        )
    taken = {
        name: port
        for name, port in settings.ports.items()
        if not _free(settings.host if name in _PUBLIC else LOOPBACK, port)
    }
    if taken:
        ports = ", ".join(f"{port} ({name})" for name, port in taken.items())
        problems.append(
            _(
                "Taken by another program: port %(ports)s. Stop that one, or set HEMATOVISION_BASE_PORT "
                "to the first of %(n)s free ports in a row."
            )
            % {"ports": ports, "n": len(BLOCK)}
        )
    if problems:
        raise StackError("\n".join(problems))


def _free(host: str, port: int) -> bool:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror:
        raise StackError(
            _("HEMATOVISION_HOST is %(host)r, which is the name of no machine.") % {"host": host}
        ) from None
    family, kind, protocol, _canonical, address = found[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise StackError(
                    _("HEMATOVISION_HOST is %(host)r, which is no address of this machine.") % {"host": host}
                ) from None
            return False
    return True
