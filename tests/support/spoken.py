"""A language for a test: nothing but the translations that it names."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from gettext import NullTranslations
from unittest.mock import patch

from django.utils import translation
from django.utils.translation import trans_real

LANGUAGE = "de"


class Spoken(NullTranslations):
    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__()
        self.texts = texts

    def gettext(self, message: str) -> str:
        return self.texts.get(message, message)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return self.gettext(singular if n == 1 else plural)

    def language(self) -> str:
        return LANGUAGE

    def to_language(self) -> str:
        return LANGUAGE


@contextmanager
def spoken(texts: Mapping[str, str]) -> Iterator[None]:
    """The language of a reader inside; what `texts` does not have stays English."""
    with (
        patch.dict(trans_real._translations, {LANGUAGE: Spoken(texts)}),  # type: ignore[attr-defined]
        translation.override(LANGUAGE),
    ):
        yield
