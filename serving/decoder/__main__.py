"""``python -m serving.decoder FD MAX_PIXELS``: decode pictures that come over the socket FD until it closes.

The kernel holds this process to its limits: private memory, CPU time for each picture, no files, no core
dumps. Its parent kills it when a picture takes too long.
"""

import resource
import signal
import socket
import sys
from contextlib import suppress

from serving.contract.sentence import store
from serving.decoder.limits import ALLOWANCE, CPU_SECONDS, Limits
from serving.decoder.messages import Ended, receive, send
from serving.decoder.read import read
from serving.decoder.refused import FileRefused


def main(descriptor: int, max_pixels: int) -> None:
    channel = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker, which ends this process
    _confine(Limits(max_pixels))
    send(channel, {"ready": True})
    while True:
        asked, parts = receive(channel)
        _start_the_clock()
        try:
            picture = read(bytes(parts.pop()), size=asked["size"], max_pixels=max_pixels)
        except FileRefused as refused:
            detail = store(refused.detail) if refused.detail else None
            send(channel, {"refused": refused.reason, "detail": detail})
        except MemoryError:
            send(channel, {"memory": True})
        else:
            said = {"width": picture.width, "height": picture.height, "media_type": picture.media_type}
            send(channel, said, picture.pixels.tobytes(), picture.display or b"")


def _confine(limits: Limits) -> None:
    most = _private_bytes() + limits.memory + ALLOWANCE
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(kind, (0, 0))


def _private_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - pathlib is not needed here
        return int(statm.read().split()[5]) * resource.getpagesize()


def _start_the_clock() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + CPU_SECONDS
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


if __name__ == "__main__":
    with suppress(Ended):
        main(int(sys.argv[1]), int(sys.argv[2]))
