"""Sentences as rows keep them, and as a reader gets them."""

from typing import TypedDict

from django.utils.translation import gettext

from serving.contract.sentence import Sentence, Value


class Stored(TypedDict):
    text: str
    values: dict[str, "str | int | float | Stored"]


def store(sentence: Sentence) -> Stored:
    """As JSON keeps it."""
    return {
        "text": sentence.text,
        "values": {
            name: store(value) if isinstance(value, Sentence) else value
            for name, value in sentence.values.items()
        },
    }


def load(stored: Stored) -> Sentence:
    return Sentence(stored["text"], {name: _load_value(value) for name, value in stored["values"].items()})


def say(sentence: Sentence) -> str:
    """In the active language."""
    if not sentence.text:
        return ""
    said = gettext(sentence.text)
    values = {
        name: say(value) if isinstance(value, Sentence) else value for name, value in sentence.values.items()
    }
    return said % values if values else said


def _load_value(value: "str | int | float | Stored") -> Value:
    return load(value) if isinstance(value, dict) else value
