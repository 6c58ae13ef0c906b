"""Names, numbers and notes: taken from everywhere they enter, normalised, found again, and safe in mails."""

import json
from io import StringIO

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django_scopes import scope, scopes_disabled

from tests.integration.webapp.accounts.test_openid import PAT, provider, running, sign_in
from tests.support.people import PASSWORD, person
from webapp.accounts.models import User
from webapp.accounts.services import create_account
from webapp.audit.models import Entry
from webapp.cases.models import ClinicalNotes
from webapp.labs.models import ApiToken, Lab
from webapp.labs.permissions import Role
from webapp.patients.models import Patient

__all__ = ["provider", "running"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]
SLY = "Ann\r\nBcc: all@hospital.example\u202e\u200b eeL"
EVEN = "Ann Bcc: all@hospital.example eeL"
NAMES = {
    "山田\u3000太郎": "山田 太郎",
    "می\u200cخواهم زاده": "می\u200cخواهم زاده",
    "ශ්\u200dරී ලංකා": "ශ්\u200dරී ලංකා",
    "Jean\u00a0d’Orbigny": "Jean d’Orbigny",
    "Rene\u0301e": "Renée",
    SLY: EVEN,
}
each_name = pytest.mark.parametrize(("written", "kept"), NAMES.items())
HIDDEN = "Ann\x1bLee"


@each_name
def test_by_signing_up(settings, written, kept):
    settings.SIGN_UP = "open"
    form = {"name": written, "email": "nora@hospital.example", "password1": PASSWORD}
    Client().post(reverse("account_signup"), form)
    assert User.objects.get().name == kept


@each_name
def test_by_changing_it(alice, written, kept):
    alice.browser.post(reverse("ui:name"), {"name": written})
    assert User.objects.get().name == kept
    assert Entry.objects.get(action="account.name_changed").after == {"name": kept}


@each_name
def test_by_another_service(provider, written, kept):
    provider.person = {**PAT, "name": written}
    sign_in(Client())
    assert User.objects.get().name == kept
    assert SocialAccount.objects.get().extra_data["name"] == kept


def test_another_service_is_not_asked_to_correct_what_hides(provider):
    provider.person = {**PAT, "name": HIDDEN}
    sign_in(Client())
    assert User.objects.get().name == "Ann Lee"


@each_name
def test_by_whoever_runs_the_installation(written, kept):
    options = {"interactive": False, "email": "root@hospital.example", "name": written}
    call_command("createsuperuser", **options, stdout=StringIO())
    assert User.objects.get().name == kept
    User.objects.update(name=written)
    assert User.objects.get().name == kept
    assert create_account("other@hospital.example", name=written).name == kept


def test_what_hides_in_a_name_is_told_with_its_place(alice):
    page = alice.browser.post(reverse("ui:name"), {"name": HIDDEN})
    assert page.status_code == 422
    assert "U+001B (a control character), which is number 4" in page.content.decode()


@each_name
def test_a_labs_name_however_made_reaches_an_invitation_in_one_line(mailoutbox, written, kept):
    call_command("create_lab", written, stdout=StringIO())
    lab = Lab.objects.get()
    assert lab.name == kept
    ada = person(lab, "Ada", Role.ADMIN)
    User.objects.update(name=written)
    form = {"email": "nina@north.example", "role": "technician"}
    ada.browser.post(reverse("ui:invite"), form)
    (message,) = mailoutbox
    assert message.subject == f"Join {kept} on HematoVision"
    assert f"\n\n{kept} invites you to join {kept} on HematoVision" in message.body
    with pytest.raises(CommandError, match="already"):
        call_command("create_lab", written, stdout=StringIO())


@pytest.mark.parametrize(
    "arguments",
    [[HIDDEN], ["North", "--member=a\r\nBcc: b@c.example:admin"], ["North", "--member=a@b@c:admin"]],
)
def test_what_hides_in_a_labs_or_members_name_is_rejected(arguments):
    with pytest.raises(CommandError):
        call_command("create_lab", *arguments, stdout=StringIO())
    assert not Lab.objects.exists()


@each_name
def test_a_tokens_name(alice, written, kept):
    form = {"name": written, "days": "30", "scopes": ["view_cases"]}
    alice.browser.post(reverse("ui:token-new"), form)
    body = {"email": alice.membership.user.email, "password": PASSWORD, "name": written}
    assert alice.api.send("/tokens/", body).status_code == 201
    with scopes_disabled():
        assert ApiToken.objects.filter(name=kept).count() == 2


@each_name
def test_a_patients_name_by_page_and_api(alice, written, kept):
    alice.browser.post(reverse("ui:new-case"), {"accession": "P-1", "name": written})
    made = alice.api.send("/cases/", {"accession": "P-2", "patient": {"name": written}})
    assert made.json()["patient"]["name"] == kept
    with scope(lab=alice.lab):
        assert [patient.name for patient in Patient.objects.all()] == [kept, kept]


def test_notes_from_word_by_page_and_api(alice):
    case = alice.case()
    pasted = "“Relapse?”\r\nsee\x0bfilm\u00a0of 3\u202fMay –\tnow\u00ad\r\n"
    kept = "“Relapse?”\nsee\nfilm of 3 May –\tnow"
    answer = alice.browser.post(reverse("ui:case-patient", args=[case.id]), {"notes": pasted})
    assert answer.status_code == 302
    with scope(lab=case.lab):
        assert ClinicalNotes.objects.get(case=case).text == kept
    changed = alice.api.patch(
        f"/api/v1/cases/{case.id}/patient/", json.dumps({"notes": pasted}), content_type="application/json"
    )
    assert changed.json()["notes"] == kept


def test_what_hides_in_a_note_is_told_with_its_place(alice):
    answer = alice.api.send("/cases/", {"accession": "P-1", "patient": {"notes": "see\x08film"}})
    assert answer.status_code == 400
    assert "U+0008 (a control character), which is number 4" in answer.content.decode()
    blank = alice.api.send("/cases/", {"accession": "\u200b \u00ad"})
    assert blank.json()["error"]["code"] == "invalid"


def test_what_was_entered_before_is_made_even(alice):
    first, second, third = (alice.case(accession) for accession in ("N-1", "N-2", "N-3"))
    alice.api.send("/cases/", {"accession": "N-4", "patient": {"mrn": "1234"}})
    with connection.cursor() as cursor:
        update = "UPDATE cases_case SET accession = %s WHERE id = %s"
        cursor.execute(update, ["E\u0301-1", first.id])
        cursor.execute(update, ["É-2", second.id])
        cursor.execute(update, ["E\u0301-2", third.id])
        cursor.execute("UPDATE accounts_user SET name = %s", [SLY])
        cursor.execute("UPDATE patients_patientkey SET mrn_hash = %s", [b"of another time"])
    assert alice.api.read("/cases/", accession="É-1").json()["results"] == []
    told, failed = StringIO(), StringIO()
    call_command("normalise_names", stdout=told, stderr=failed)
    assert len(alice.api.read("/cases/", accession="É-1").json()["results"]) == 1
    assert f"case {third.id}: another has this accession already" in failed.getvalue()
    assert User.objects.get().name == EVEN
    assert len(alice.api.send("/cases/search/", {"mrn": "12-34"}).json()) == 1
    call_command("normalise_names", stdout=(again := StringIO()), stderr=StringIO())
    assert "cases: 0 accessions normalised" in again.getvalue()
    assert "patients: 0 MRNs hashed anew" in again.getvalue()
