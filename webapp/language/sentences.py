"""Sentences as a reader gets them, and marked words as records keep them."""

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext

from serving.contract.sentence import Sentence


def say(sentence: Sentence | None) -> str:
    """In the active language; nothing where there is none."""
    return sentence.said(gettext) if sentence else ""


def as_written(*texts: "str | Promise") -> str:
    """Marked words as the source has them, several in one line with commas between: for records, which must
    not depend on the language of whoever did something. `gettext` finds each again."""
    with translation.override(None):
        return ", ".join(str(text) for text in texts)
