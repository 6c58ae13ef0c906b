"""What a test knows to be there, though its type says that it may be missing."""

from typing import TypeVar

T = TypeVar("T")


def present(found: T | None) -> T:
    assert found is not None
    return found
