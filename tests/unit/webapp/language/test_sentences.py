"""Sentences as a reader gets them."""

import pytest
from django.utils.translation import gettext_lazy

from serving.contract.sentence import Sentence
from tests.support.spoken import spoken
from webapp.language.sentences import as_written, say

KEPT = Sentence("This is %(what)s.", {"what": Sentence("a GIF")})


def test_it_is_said_in_the_language_of_the_moment():
    assert say(KEPT) == "This is a GIF."
    with spoken({"This is %(what)s.": "Das ist %(what)s.", "a GIF": "ein GIF"}):
        assert say(KEPT) == "Das ist ein GIF."
    with spoken({"a GIF": "un GIF"}):
        assert say(KEPT) == "This is un GIF."


@pytest.mark.parametrize("nothing", [None, Sentence("")])
def test_nothing_is_said_of_nothing(nothing):
    with spoken({"": "the head of a catalogue"}):
        assert say(nothing) == ""


def test_records_keep_words_as_they_are_written():
    with spoken({"Name": "Name", "Sex": "Geschlecht"}):
        sex = gettext_lazy("Sex")
        assert (str(sex), as_written(gettext_lazy("Name"), sex)) == ("Geschlecht", "Name, Sex")
        assert str(sex) == "Geschlecht"
