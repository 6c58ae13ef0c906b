"""Running as another account than root, for a program that does not run as root."""

import ctypes
import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.language import _
from infra.local.errors import StackError

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

        Raises:
            StackError: there is neither.
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
        raise StackError(
            _(
                "PostgreSQL does not run as root, and this machine has no account `postgres` or "
                "`nobody`. Start HematoVision as an ordinary user."
            )
        )

    @property
    def name(self) -> str:
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def can(self, question: Callable[[], bool]) -> bool:
        """The answer to a question about files, asked by a process that became the account."""
        asker = os.fork()
        if asker == 0:
            answer = False
            try:
                self.become()
                answer = question()
            finally:  # whatever happened, nothing else of ours runs in this process
                os._exit(0 if answer else 1)
        return os.waitpid(asker, 0)[1] == 0

    def become(self) -> None:
        """Make this process the account's, for good.

        It keeps one capability where this machine lets it (most containers do not): to pass through folders
        that only root may enter, such as a state folder of mode 0700. The alternative, opening those to
        everyone, would weaken the machine. access(2), by which PostgreSQL looks for its own programs, takes
        no notice of it.
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
        if libc.capset(header, sets) != 0:
            libc.capset(header, (ctypes.c_uint32 * 6)())
        else:
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH, 0, 0)
