"""What entries say, to readers of whatever language."""

import pytest

from tests.support.spoken import spoken
from webapp.audit.actions import AREAS, VERBS, Action
from webapp.audit.models import Entry
from webapp.audit.words import INVALID_TOKEN, NOT_SIGNED_IN, NOT_THERE

GERMAN = {
    "%(actor)s %(did)s": "%(actor)s: %(did)s",
    "was denied {subject:word}": "kein Recht auf {subject:word}",
    "“%(permission)s”": "„%(permission)s“",
    "Create cases": "Fälle anlegen",
    NOT_SIGNED_IN: "Jemand ohne Anmeldung",
    INVALID_TOKEN: "Zugang mit ungültigem Schlüssel",
    NOT_THERE["case"]: "einen Fall, den es nicht gibt",
    "made {subject} {after[role]:a}": "Rolle von {subject}: {after[role]:word}",
    "Administrator": "Verwaltung",
    "entered or corrected the patient of case {subject}: {after[fields]:words}": (
        "Patient von {subject}: {after[fields]:words}"
    ),
    "Name": "Name",
    "Birth date": "Geburtstag",
    "made the API token {subject:word}": "Schlüssel gemacht: {subject:word}",
    "%(token)s of %(owner)s": "%(token)s von %(owner)s",
    "published {subject:word}": "veröffentlicht: {subject:word}",
    "%(lab)s’s own, version %(number)s": "%(lab)s (eigenes), Version %(number)s",
    "%(model)s, version %(number)s": "%(model)s, Version %(number)s",
    "erased a patient of {after[cases]:of case}": "gelöscht: Patient ({after[cases]:of case})",
    "%(n)s case": "%(n)s Fall",
    "%(n)s cases": "%(n)s Fälle",
    "did {action} to {subject}": "{action} an {subject}",
    "created case {subject}": "legte {nothing} an",
    "signed in": "{",
    "Other": "Andere",
}


def entry(action, subject="", *, actor_id=7, actor_name="Alice", **values):
    return Entry(action=action, subject=subject, actor_id=actor_id, actor_name=actor_name, **values)


@pytest.mark.parametrize(
    ("made", "english", "german"),
    [
        (
            entry(Action.ACCESS_DENIED, "“Create cases”"),
            "Alice was denied “Create cases”",
            "Alice: kein Recht auf „Fälle anlegen“",
        ),
        (
            entry(Action.ACCESS_DENIED, INVALID_TOKEN, actor_id=None, actor_name=NOT_SIGNED_IN),
            "Somebody who has not signed in was denied access with an invalid API token",
            "Jemand ohne Anmeldung: kein Recht auf Zugang mit ungültigem Schlüssel",
        ),
        (
            entry(Action.ACCESS_DENIED, NOT_THERE["case"]),
            "Alice was denied a case that is not there or another lab’s",
            "Alice: kein Recht auf einen Fall, den es nicht gibt",
        ),
        (
            entry(Action.MEMBER_ROLE_SET, "Bob", after={"role": "Administrator"}),
            "Alice made Bob an administrator",
            "Alice: Rolle von Bob: Verwaltung",
        ),
        (
            entry(Action.IDENTIFIERS_CHANGED, "H-1", after={"fields": "Name, Birth date"}),
            "Alice entered or corrected the patient of case H-1: Name, Birth date",
            "Alice: Patient von H-1: Name, Geburtstag",
        ),
        (
            entry(Action.TOKEN_MADE, "hv_12345678… (of Bob) of Alice"),
            "Alice made the API token hv_12345678… (of Bob) of Alice",
            "Alice: Schlüssel gemacht: hv_12345678… (of Bob) von Alice",
        ),
        (
            entry(Action.MODEL_PUBLISHED, "Nord’s own, version 3"),
            "Alice published Nord’s own, version 3",
            "Alice: veröffentlicht: Nord (eigenes), Version 3",
        ),
        (
            entry(Action.MODEL_PUBLISHED, "hematovision, version 3"),
            "Alice published hematovision, version 3",
            "Alice: veröffentlicht: hematovision, Version 3",
        ),
        (
            entry(Action.PATIENT_ERASED, after={"cases": 1}),
            "Alice erased a patient of 1 case",
            "Alice: gelöscht: Patient (1 Fall)",
        ),
        (
            entry(Action.PATIENT_ERASED, after={"cases": 2}),
            "Alice erased a patient of 2 cases",
            "Alice: gelöscht: Patient (2 Fälle)",
        ),
        (entry("gone.away", "it"), "Alice did gone.away to it", "Alice: gone.away an it"),
    ],
)
def test_an_entry_is_said_in_the_language_of_who_reads_it(made, english, german):
    assert made.sentence == english
    with spoken(GERMAN):
        assert made.sentence == german
    assert made.sentence == english


def test_data_is_never_taken_for_words():
    with spoken(GERMAN):
        assert entry(Action.CASE_OPENED, "Other").sentence == "Alice: opened case Other"
        assert entry(Action.SIGNED_OUT, actor_name="Other").sentence.startswith("Other")


@pytest.mark.parametrize(
    ("action", "english"), [("case.created", "created case H-1"), ("account.signed_in", "signed in")]
)
def test_a_translation_with_other_places_is_not_said(action, english):
    with spoken(GERMAN):
        assert entry(action, "H-1").sentence == f"Alice: {english}"


def test_what_the_menu_says_of_each_action_is_marked():
    assert {action.verb for action in Action} <= set(VERBS)
    assert {action.area_name for action in Action} <= set(AREAS)
