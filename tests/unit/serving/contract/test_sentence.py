"""Sentences that are kept, and said later."""

import json
import pickle

import pytest

from serving.contract.sentence import Sentence, load, store
from serving.decoder.refused import FileRefused, Reason, too_costly

GIF = Sentence("This is %(what)s. %(then)s", {"what": Sentence("a GIF"), "then": "100 % sure"})


def upside_down(text: str) -> str:
    return {"This is %(what)s. %(then)s": "%(then)s: %(what)s", "a GIF": "ein GIF"}.get(text, text)


def test_it_is_english_where_nobody_says_otherwise():
    assert str(GIF) == "This is a GIF. 100 % sure"
    assert str(Sentence("50 % of it")) == "50 % of it"


def test_its_parts_are_said_in_the_same_language():
    assert GIF.said(upside_down) == "100 % sure: ein GIF"


def test_nothing_is_asked_of_a_translator_about_nothing():
    assert Sentence("").said(lambda _: "the head of a catalogue") == ""


@pytest.mark.parametrize("translated", ["%(gone)s", "%(what)d", "100 % of %(what)s", "%"])
def test_a_translation_with_other_places_is_not_said(translated):
    sentence = Sentence("This is %(what)s.", {"what": "it"})
    assert sentence.said(lambda _: translated) == "This is it."


def test_places_that_nothing_fills_stay():
    assert str(Sentence("%(one)s of %(two)s", {"one": 1})) == "%(one)s of %(two)s"


@pytest.mark.parametrize("sentence", [GIF, Sentence(""), Sentence("%(n)s cells", {"n": 3}), Sentence("x%")])
def test_json_keeps_it(sentence):
    assert load(json.loads(json.dumps(store(sentence)))) == sentence


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("It broke.", "It broke."),
        (None, ""),
        ({}, ""),
        ({"text": "It broke."}, "It broke."),
        ({"text": "It broke.", "values": None}, "It broke."),
        ({"text": "%(n)s", "values": {"n": [1]}}, "[1]"),
        ({"text": "%(n)s", "values": {"n": {"text": "one"}}}, "one"),
        ({"text": 7, "values": []}, "7"),
        ([1], "[1]"),
    ],
)
def test_of_what_is_no_such_thing_as_much_as_there_is_is_said(stored, said):
    assert str(load(stored)) == said


@pytest.mark.parametrize("refused", [FileRefused(Reason.EMPTY), too_costly(GIF)])
def test_a_refusal_passes_between_processes(refused):
    again = pickle.loads(pickle.dumps(refused))  # noqa: S301 - our own
    assert (again.reason, again.detail, str(again)) == (refused.reason, refused.detail, str(refused))
