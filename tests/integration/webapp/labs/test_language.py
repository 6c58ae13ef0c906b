"""The language of a request: the lab's, or else the browser's; of mails: the lab's."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django_scopes import scope

from tests.support.german import german
from tests.support.pages import add_cells, page_of
from tests.support.people import Person, person
from webapp.audit import export
from webapp.audit.models import Entry
from webapp.cases.models import Case
from webapp.labs.models import Lab
from webapp.labs.permissions import Role
from webapp.notifications.models import Kind
from webapp.notifications.selectors import choices
from webapp.notifications.services import choose, tell
from webapp.ui import catalogue

__all__ = ["german"]
pytestmark = pytest.mark.usefixtures("plain_static", "german")
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
SIGN_IN = "account_login"


@pytest.fixture
def ada(lab) -> Person:
    return person(lab, "Ada", Role.ADMIN)


@pytest.fixture
def case(alice: Person) -> Case:
    case = alice.case()
    add_cells(alice, case, "neutrophil", 0.4567, flagged=True)
    with scope(lab=alice.lab):
        Case.objects.filter(id=case.id).update(created_at=NOON)
    return case


def speak(lab: Lab, language: str) -> None:
    Lab.objects.filter(id=lab.id).update(language=language)


# --- setting it ---------------------------------------------------------------------------------------------


def test_administrators_set_it_and_it_is_on_record(ada):
    form = {"language": "de", "time_zone": "", "full_count": "100"}
    page = ada.browser.post(reverse("ui:lab-settings-change"), form, follow=True)
    assert '<option value="de" selected>Deutsch</option>' in page.content.decode()
    assert page.headers["Content-Language"] == "de"
    assert "Gespeichert." in page.content.decode()
    entry = Entry.objects.get(chain=ada.lab.id, action__startswith="lab.")
    assert (entry.action, entry.before, entry.after) == (
        "lab.language_set",
        {"language": "English"},
        {"language": "Deutsch"},
    )
    ada.browser.post(reverse("ui:lab-settings-change"), form)
    assert Entry.objects.filter(action="lab.language_set").count() == 1


@pytest.mark.parametrize("language", ["", "fr", "xx", "de\0"])
def test_a_language_that_is_not_there_is_rejected(ada, language):
    form = {"language": language, "time_zone": "", "full_count": "100"}
    assert ada.browser.post(reverse("ui:lab-settings-change"), form).status_code == 422
    assert Lab.objects.get().language == "en"


@pytest.mark.parametrize(("kept", "spoken"), [("xx", "en"), ("de-at", "de"), ("", "en")])
def test_one_that_this_release_lacks_is_the_nearest_or_english(alice, kept, spoken):
    speak(alice.lab, kept)
    page = alice.browser.get(reverse("ui:worklist"))
    assert (page.status_code, page.headers["Content-Language"]) == (200, spoken)


# --- pages and API ------------------------------------------------------------------------------------------


def test_a_lab_that_switches_reads_what_was_there_in_its_new_language(alice, case):
    page = page_of(alice, "case", case.id)
    assert '<html lang="en">' in page
    assert "15 Jan 2026, 12:00 UTC" in page
    assert "46 %" in page
    speak(alice.lab, "de")
    page = page_of(alice, "case", case.id)
    assert '<html lang="de">' in page
    assert "15. Januar 2026 12:00 UTC" in page
    assert "46 Prozent" in page
    assert f'datetime="{NOON.isoformat()}"' in page


def test_what_others_read_stays_what_it_was(alice, case, charlie):
    speak(alice.lab, "de")
    page_of(alice, "case", case.id)
    assert '<html lang="en">' in page_of(charlie, "members")
    assert translation.get_language() == "en"


def test_the_api_says_what_is_wrong_in_the_language_of_the_lab_and_its_codes_stay(alice):
    there = "/cases/00000000-0000-0000-0000-000000000000/"
    english = alice.api.read(there)
    speak(alice.lab, "de")
    answer = alice.api.read(there, headers={})
    assert answer.headers["Content-Language"] == "de"
    assert answer.json()["error"]["code"] == english.json()["error"]["code"]
    fields = alice.api.send("/cases/", {}).json()["error"]
    assert "Dieses Feld ist zwingend erforderlich." in str(fields)


def test_the_lab_outweighs_the_browser(alice):
    page = alice.browser.get(reverse("ui:worklist"), headers={"Accept-Language": "de"})
    assert page.headers["Content-Language"] == "en"


def test_a_download_is_in_the_language_of_the_lab_to_its_end(ada, monkeypatch):
    """Its lines are made when the request is over."""
    speaking = (lambda rows: (str(translation.get_language()) for _ in range(2)), "text/csv")
    monkeypatch.setitem(export._WRITERS, export.Format.CSV, speaking)
    speak(ada.lab, "de")
    assert ada.api.read("/audit/export.csv").getvalue() == b"dede"


# --- without a lab ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("de", "de"),
        ("de-CH, fr;q=0.9", "de"),
        ("fr, de;q=0.5", "de"),
        ("xx", "en"),
        ("*", "en"),
        ("\0;q=x", "en"),
    ],
)
def test_who_has_not_signed_in_is_answered_as_the_browser_asks(db, asked, given):
    page = Client().get(reverse(SIGN_IN), headers={"Accept-Language": asked})
    assert page.headers["Content-Language"] == given
    assert f'<html lang="{given}">' in page.content.decode()
    assert "Accept-Language" in page.headers["Vary"]


def test_static_files_are_the_same_for_all(db):
    icon = Client().get("/static/ui/icon.svg", headers={"Accept-Language": "de"})
    icon.close()
    assert "Accept-Language" not in icon.headers.get("Vary", "")


# --- mails --------------------------------------------------------------------------------------------------


def test_notifications_are_mailed_in_the_language_of_the_lab(alice, case):
    with scope(lab=alice.lab):
        choose(alice.membership, [replace(choice, by_mail=True) for choice in choices(alice.membership)])
        facts = {"classified": 15_382, "refused": 0, "failed": 0}
        tell(alice.membership, Kind.UPLOAD_FINISHED, case_id=case.id, facts=facts)
        speak(alice.lab, "de")
        alice.membership.lab.refresh_from_db()
        tell(alice.membership, Kind.UPLOAD_FINISHED, case_id=alice.case("A-2").id, facts=facts)
    english, german_one = mail.outbox
    assert "15,382 classified" in english.body
    assert "15.382 klassifiziert" in german_one.body
    assert translation.get_language() == "en"


def test_an_invitation_is_in_the_language_of_the_lab(ada):
    speak(ada.lab, "de")
    form = {"email": "new@hospital.example", "role": "pathologist"}
    ada.browser.post(reverse("ui:invite"), form)
    (message,) = mail.outbox
    year = datetime.now(UTC).year
    assert f" {year} " in message.body  # as in 5. Dezember 2026 12:00 UTC
    assert f"{year}," not in message.body


# --- scripts ------------------------------------------------------------------------------------------------


def test_scripts_have_their_catalogue_at_an_address_that_changes_with_it(alice, case):
    speak(alice.lab, "de")
    with translation.override("de"):
        address = catalogue.address()
    assert f'<script src="{address}" defer></script>' in page_of(alice, "case", case.id)
    script = Client().get(address)
    text = script.content.decode()
    assert "Die Verbindung ist abgebrochen." in text
    assert "Das Bild ist" not in text
    assert "immutable" in script.headers["Cache-Control"]
    with translation.override("en"):
        assert catalogue.address() != address


def test_another_release_s_catalogue_is_not_kept(db):
    path = reverse("ui:catalogue", args=["de", "of-another-release"])
    assert Client().get(path).headers["Cache-Control"] == "no-store"
    assert Client().get(reverse("ui:catalogue", args=["fr", "x"])).status_code == 404
