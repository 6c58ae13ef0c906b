"""Sentences that were kept are said in the language of whoever reads them."""

from django.utils import translation

from serving.contract.sentence import Sentence
from tests.support.german import german
from webapp.language.sentences import load, say, store

__all__ = ["german"]


def test_what_was_kept_is_said_in_the_language_of_the_reader(german):
    kept = store(Sentence("The image is %(width)s pixels wide.", {"width": 12_000}))
    assert say(load(kept)) == "The image is 12000 pixels wide."
    with translation.override("de"):
        assert say(load(kept)) == "Das Bild ist 12000 Pixel breit."


def test_a_sentence_in_a_sentence_too(german):
    kept = store(Sentence("This is %(kind)s.", {"kind": Sentence("a scan")}))
    with translation.override("de"):
        assert say(load(kept)) == "Das ist ein Scan."


def test_one_that_no_catalogue_has_is_said_as_it_was_written(german):
    with translation.override("de"):
        assert (
            say(Sentence("Nobody said 100 % of this: %(name)s", {})) == "Nobody said 100 % of this: %(name)s"
        )
        assert say(Sentence("")) == ""
