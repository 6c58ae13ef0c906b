"""A folder outside the state, for a program whose account cannot enter it.

Root's home is closed to all others, and so is what lies in it. Where the account of a program cannot pass,
what it needs lies in a folder of its own below `PLACE`, and the state has a link to it.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from infra.language import _
from infra.local.errors import StackError

PLACE = Path("/var/lib/hematovision")
_OF = "of"  # a file that names whose folder it is


def make(link: Path) -> None:
    """Make a new folder, and `link` one to the place `data` in it, which is not there yet.

    Raises:
        StackError: there can be none.
    """
    try:
        PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
        PLACE.chmod(0o755)  # whatever the umask
        folder = Path(tempfile.mkdtemp(dir=PLACE))
        folder.chmod(0o711)
    except OSError as error:
        raise StackError(
            _("no folder can be made in %(place)s (%(error)s)") % {"place": PLACE, "error": error.strerror}
        ) from error
    link.symlink_to(folder / "data")
    own(link)


def own(link: Path) -> None:
    """Write down whose the folder behind `link` is; to be repeated when `link` has moved.

    Raises:
        StackError: it is gone.
    """
    target = link.readlink()
    if not target.parent.is_dir():
        raise StackError(
            _(
                "%(link)s leads to %(target)s, which is gone. Put it back, or remove %(link)s to begin "
                "with nothing."
            )
            % {"link": link, "target": target}
        )
    (target.parent / _OF).write_text(str(link))


def remove(link: Path) -> None:
    """Remove the folder behind `link`, if it is a link."""
    if link.is_symlink():
        shutil.rmtree(link.readlink().parent, ignore_errors=True)


def abandoned() -> Iterator[tuple[Path, str]]:
    """Folders to which nothing leads any more, each with the link that once did."""
    for record in sorted(PLACE.glob(f"*/{_OF}")):
        with suppress(PermissionError):  # then it is for whoever may look
            link = Path(record.read_text())
            if not (link.is_symlink() and link.readlink().parent == record.parent):
                yield record.parent, str(link)
