"""Where programs of the stack listen that only we may reach: sockets in a folder of our own."""

import os
import tempfile
from hashlib import sha256
from pathlib import Path

from infra.language import _
from infra.local.errors import StackError

_LONGEST = 100  # a Unix socket's address has room for 104 to 108 bytes


def socket_path(home: Path, name: str) -> Path:
    """Path of a socket: beside other files of the run, or if that is too long, in a folder of our own.

    Raises:
        StackError: that folder is somebody else's.
    """
    path = home / "run" / name
    if len(os.fsencode(path)) <= _LONGEST:
        return path
    folder = f"hematovision-{os.geteuid()}-{sha256(os.fsencode(home)).hexdigest()[:12]}"
    short = Path(tempfile.gettempdir()) / folder
    short.mkdir(mode=0o700, exist_ok=True)
    if (status := short.lstat()).st_uid != os.geteuid() or status.st_mode & 0o077:
        raise StackError(
            _("%(short)s belongs to someone else: move HEMATOVISION_HOME to a shorter path.")
            % {"short": short}
        )
    return short / name
