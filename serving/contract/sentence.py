"""Sentences for people that are kept, and said later, in whatever language the reader has by then."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union

Value = Union[str, int, float, "Sentence"]


def N_(text: str) -> str:  # noqa: N802 - gettext's name for it
    """Marks a text for the catalogues; it is translated where it is said."""
    return text


@dataclass(frozen=True)
class Sentence:
    """`text` is English, marked by `N_`, with places like `%(width)s`; `values` fill them."""

    text: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        """In English, for logs."""
        return (
            self.text % {name: str(value) for name, value in self.values.items()}
            if self.values
            else self.text
        )

    def __bool__(self) -> bool:
        return bool(self.text)
