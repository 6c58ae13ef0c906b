"""What goes between a worker and a decoder: a length, a line of JSON, and bytes, over a pair of sockets."""

import json
import socket
import struct
import time
from typing import Any

_LENGTHS = struct.Struct("!II")
LONGEST = 256 * 1024 * 1024


class Ended(Exception):
    """The other side is gone, or sends what was not agreed."""


def send(channel: socket.socket, said: dict[str, Any], *parts: bytes) -> None:
    """One message; `parts` are split by the lengths that it says.

    Raises:
        TimeoutError: the other side did not take it within the channel's timeout.
        Ended: the other side is gone.
    """
    line = json.dumps({**said, "parts": [len(part) for part in parts]}).encode()
    try:
        head = _LENGTHS.pack(len(line), sum(map(len, parts))) + line
        # In one call: each would wake the other side. What does not fit follows.
        sent = channel.sendmsg([head, *parts])
        for piece in (head, *parts):
            if sent < len(piece):
                channel.sendall(memoryview(piece)[sent:])
            sent = max(0, sent - len(piece))
    except TimeoutError:
        raise
    except OSError as error:
        raise Ended from error


def receive(channel: socket.socket, until: float | None = None) -> tuple[dict[str, Any], list[bytearray]]:
    """The next message and its parts.

    Args:
        until: on `time.monotonic`'s clock, when to stop waiting.

    Raises:
        TimeoutError: it had not come by then.
        Ended: the other side is gone.
    """
    line_length, length = _LENGTHS.unpack(_exactly(channel, _LENGTHS.size, until))
    if max(line_length, length) > LONGEST:
        raise Ended
    try:
        said = json.loads(_exactly(channel, line_length, until))
        return said, [_exactly(channel, size, until) for size in said["parts"]]
    except (ValueError, KeyError, TypeError) as error:
        raise Ended from error


def _exactly(channel: socket.socket, size: int, until: float | None) -> bytearray:
    taken = bytearray(size)
    view = memoryview(taken)
    while view:
        if until is not None:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            channel.settimeout(left)
        try:
            count = channel.recv_into(view)
        except TimeoutError:
            raise
        except OSError as error:
            raise Ended from error
        if not count:
            raise Ended
        view = view[count:]
    return taken
