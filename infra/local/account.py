"""Running as another account than root, for a program that refuses root."""

import ctypes
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_READ_SEARCH = 2


@dataclass(frozen=True)
class Account:
    """An account of this machine, by its numbers."""

    uid: int
    gid: int

    @classmethod
    def for_postgres(cls, data: Path) -> "Account | None":
        """Who runs PostgreSQL with this data folder; None means that we do, which is so unless we are root.

        The owner of existing data stays its owner. New data goes to the machine's `postgres` account, or to
        `nobody` where there is none: no account is made.
        """
        if os.geteuid() != 0:
            return None
        if data.exists() and (owner := data.stat()).st_uid != 0:
            return cls(owner.st_uid, owner.st_gid)
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(entry.pw_uid, entry.pw_gid)
        raise OSError(
            "PostgreSQL does not run as root, and this machine has no account `postgres` or `nobody`."
        )

    def become(self) -> None:
        """Make this process the account's, for good.

        It keeps one capability: to pass through folders that only root may enter (a checkout under `/root`, a
        state folder of mode 0700). The alternative, opening those to everyone, would weaken the machine.
        """
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
        os.setgroups([])
        os.setgid(self.gid)
        os.setuid(self.uid)
        # capset(2): a header, then effective, permitted and inheritable sets, 32 bits each, low word first.
        mask = 1 << _CAP_DAC_READ_SEARCH
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
        if libc.capset(header, sets) == 0:
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH, 0, 0)
