"""Whether the ports of the stack are free."""

import socket

from infra.local.errors import StackError
from infra.local.settings import BLOCK, LOOPBACK, PREFIX, Settings


def check_free(settings: Settings) -> None:
    """Check that nothing listens where the stack will.

    Raises:
        StackError: something does; the message names the port, what it is for, and the setting that moves it.
    """
    taken = [] if _free(settings.host, settings.web_port) else [_moved(settings.web_port, "web", "WEB_PORT")]
    taken += [
        _moved(settings.port(name), name, "BASE_PORT")
        for name in BLOCK
        if not _free(LOOPBACK, settings.port(name))
    ]
    if taken:
        raise StackError("\n".join(taken))


def _moved(port: int, name: str, setting: str) -> str:
    what = "the web page" if name == "web" else name
    block = "" if name == "web" else f", the first of {len(BLOCK)} in a row"
    return (
        f"Port {port}, meant for {what}, is taken by another program. "
        f"Stop that one, or set {PREFIX}{setting} to another port{block}."
    )


def _free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
