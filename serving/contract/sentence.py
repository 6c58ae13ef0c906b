"""Sentences for people that are kept, and said later, in whatever language the reader has by then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypedDict, Union

Value = Union[str, int, float, "Sentence"]


class Stored(TypedDict):
    """A sentence as JSON keeps it."""

    text: str
    values: dict[str, "str | int | float | Stored"]


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
        return self.said(lambda text: text)

    def said(self, translate: Callable[[str], str]) -> str:
        """In another language; in English where a translation has places that nothing fills."""
        values = {
            name: value.said(translate) if isinstance(value, Sentence) else value
            for name, value in self.values.items()
        }
        translated = translate(self.text) if self.text else ""  # gettext says much of nothing
        for text in (translated, self.text):
            try:
                return text % values if values else text
            except (KeyError, TypeError, ValueError):
                continue
        return self.text  # kept by a release that filled other places, or by somebody else


def store(sentence: Sentence) -> Stored:
    """As JSON keeps it."""
    return {
        "text": sentence.text,
        "values": {
            name: store(value) if isinstance(value, Sentence) else value
            for name, value in sentence.values.items()
        },
    }


def load(stored: object) -> Sentence:
    """What was stored. Of what is no such thing, as much as there is: to fail helps nobody who reads it."""
    if not isinstance(stored, Mapping):
        return Sentence("" if stored is None else str(stored))
    values = stored.get("values")
    return Sentence(
        str(stored.get("text", "")),
        {str(name): _loaded(value) for name, value in values.items()} if isinstance(values, Mapping) else {},
    )


def _loaded(value: object) -> Value:
    if isinstance(value, Mapping):
        return load(value)
    return value if isinstance(value, str | int | float) else str(value)
