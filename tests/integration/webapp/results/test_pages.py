"""Signing as people do it: by the page and by the API, with each way to show who is there."""

import json
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django_scopes import scope

from tests.support import openid, second_factor
from tests.support.pages import queries
from tests.support.passkeys import Key
from tests.support.people import PASSWORD, person, proved_who_they_are
from tests.support.present import present
from tests.support.results import FEW, now, ready, shown, signed
from tests.support.review import decide
from webapp.accounts.models import SigningPin
from webapp.audit.actions import Action
from webapp.audit.models import Entry
from webapp.cases.models import Image, Review
from webapp.cases.services import change_identifiers
from webapp.inference.models import Chunk
from webapp.inference.services import requeue
from webapp.labs.permissions import Role
from webapp.labs.services import change_role
from webapp.results.amending import amend
from webapp.results.models import Result, Signature
from webapp.review.models import CellState, Reading
from webapp.review.remark_services import make_remark

pytestmark = pytest.mark.usefixtures("plain_static", "fresh_rates")
PIN = "294715"


@pytest.fixture
def browser(pat):
    return pat.browser


@pytest.fixture
def address(read_case):
    return reverse("ui:sign", args=[read_case.id])


def look(browser, address, reason=FEW):
    """The page with the reason in the document, as the person sees it before signing."""
    answer = browser.post(address, {"reason": reason})
    assert answer.status_code == 200, answer.status_code
    return answer


def form_of(answer, method, proof=""):
    draft = answer.context["draft"]
    return {
        "method": method,
        "proof": proof,
        "revision": draft.values["reading"]["revision"],
        "sha256": draft.digest,
        "meaning": answer.context["prepared"].meaning,
        "reason": answer.context["reason"],
        "parts": answer.context["parts"],
    }


def test_the_page_says_what_is_missing_and_shows_what_will_be_signed(browser, address, read_case):
    page = browser.get(address)
    assert page.context["draft"]
    assert "3 white cells were counted; the lab asks for 100." in page.content.decode()
    assert 'name="method"' not in page.content.decode()
    seen = look(browser, address)
    text = seen.content.decode()
    assert all(
        one in text for one in ("Pat Example", "4711", FEW, seen.context["draft"].digest, "Who is there?")
    )


def test_a_password_signs(browser, address, read_case):
    answer = browser.post(address, form_of(look(browser, address), "password", PASSWORD))
    assert answer.url == reverse("ui:result", args=[read_case.id, 1])
    page = browser.get(answer.url).content.decode()
    assert all(one in page for one in ("Pat Example", Result.objects.get().digest, "UTC", "Pathologist"))
    case_page = browser.get(reverse("ui:case", args=[read_case.id])).content.decode()
    assert "Signed: version 1 of the result." in case_page


def test_the_same_form_sent_twice_signs_once_and_never_what_came_later(browser, address, pat, read_case):
    """A form that somebody kept, with the proof in it, signs no next version."""
    form = form_of(look(browser, address), "password", PASSWORD)
    assert browser.post(address, form).status_code == 302
    assert browser.post(address, form).status_code == 302
    assert Signature.objects.count() == 1
    amend(now(read_case), pat.membership, reason="Once more.", version=1)
    assert browser.post(address, form).url.endswith("/results/1/")  # what they signed then
    assert Signature.objects.count() == 1
    assert now(read_case).review == Review.IN_REVIEW


@pytest.mark.parametrize("parts", ["NaN", "[1]", "7", '"x"', "null", "{", '{"rows": [1]}'])
def test_what_is_no_list_of_parts_is_told_as_any_other_change(browser, address, read_case, parts):
    form = form_of(look(browser, address), "password", PASSWORD)
    change_identifiers(read_case, {"name": "Somebody Else"})
    assert browser.post(address, form | {"parts": parts}).status_code in (409, 422)
    assert not Result.objects.exists()


def test_no_other_site_signs_in_somebody_s_name(address, pat, browser, read_case):
    form = form_of(look(browser, address), "password", PASSWORD)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(pat.membership.user)
    elsewhere = {"Origin": "https://elsewhere.example"}
    for path in (address, f"{address}elsewhere/", f"/cases/{read_case.id}/void/"):
        assert strict.post(path, form).status_code == 403
        assert strict.post(path, form, headers=elsewhere).status_code == 403
    api = f"/api/v1/cases/{read_case.id}/sign/"
    assert strict.post(api, form, content_type="application/json").status_code == 403
    assert not Result.objects.exists()


def test_a_wrong_password_signs_nothing_is_on_record_and_bounded(browser, address, pat):
    form = form_of(look(browser, address), "password", "wrong")
    answers = [browser.post(address, form).status_code for _ in range(7)]
    assert answers[0] == 422
    assert answers[-1] == 429
    assert not Result.objects.exists()
    assert Entry.objects.filter(action=Action.SIGN_IN_FAILED, subject=pat.membership.user.email).exists()
    assert Entry.objects.filter(action=Action.SIGNING_DENIED, subject="A-1").exists()


def test_a_code_signs_once(browser, address, pat):
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    TOTP.activate(pat.membership.user, secret)
    assert browser.post(address, form_of(look(browser, address), "totp", "000000")).status_code == 422
    code = second_factor.code(secret)
    assert browser.post(address, form_of(look(browser, address), "totp", code)).status_code == 302
    with scope(lab=pat.lab):
        ready(pat, "A-2")
        other = reverse("ui:sign", args=[Reading.objects.get(case__accession="A-2").case_id])
    assert browser.post(other, form_of(look(browser, other), "totp", code)).status_code == 422


def test_a_lost_passkey_signs_nothing_and_the_password_does(browser, address, pat):
    """It is offered while the account has it; what is not its answer counts as wrong; taken from the account,
    it is asked of nobody."""
    user = pat.membership.user
    key = Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    Authenticator.objects.filter(pk=key.pk).update(type=Authenticator.Type.WEBAUTHN)
    key.delete()
    form = form_of(look(browser, address), "passkey", json.dumps({"id": "gone"}))
    answer = browser.post(address, form)
    assert (answer.status_code, Result.objects.exists()) == (422, False)
    assert "You do not have this way" in answer.content.decode()
    assert browser.post(address, form_of(look(browser, address), "password", PASSWORD)).status_code == 302


@pytest.fixture
def key(pat):
    return Key(pat.membership.user, "testserver")


def asked(answer):
    return answer.context["passkey"]["request_options"]


def test_a_touch_of_a_passkey_signs_once(browser, address, key, pat, read_case):
    page = look(browser, address)
    form = form_of(page, "passkey", key.answer(asked(page)))
    assert browser.post(address, form).status_code == 302
    assert Signature.objects.get().method == "passkey"
    amend(read_case, pat.membership, reason="Once more.", version=1)
    again = form_of(look(browser, address), "passkey", form["proof"])
    assert browser.post(address, again).status_code == 422


def test_a_touch_for_one_document_signs_no_other(browser, address, key, pat):
    """Not even where the other is what the case says now: the key was asked on a page that showed another."""
    ready(pat, "A-2")
    other = reverse("ui:sign", args=[Reading.objects.get(case__accession="A-2").case_id])
    of_other = form_of(look(browser, other), "passkey")
    page = look(browser, address)
    touched = key.answer(asked(page))
    assert browser.post(other, of_other | {"proof": touched}).status_code == 422
    assert not Result.objects.exists()
    page = look(browser, address)
    assert browser.post(address, form_of(page, "passkey", key.answer(asked(page)))).status_code == 302


def test_a_touch_for_signing_in_again_signs_nothing(browser, address, key):
    form = form_of(look(browser, address), "passkey")
    question = browser.get(reverse("mfa_reauthenticate_webauthn"))
    touched = key.answer(question.context["js_data"]["request_options"])
    assert browser.post(address, form | {"proof": touched}).status_code == 422
    assert not Result.objects.exists()


def test_a_pin_is_for_who_has_nothing_else(browser, pat):
    page = reverse("ui:signing-pin")
    answer = browser.post(page, {"pin": PIN, "again": PIN})
    assert answer.status_code == 422
    assert "You need none." in answer.content.decode()


@pytest.fixture
def without_password(pat):
    user = pat.membership.user
    user.set_unusable_password()
    user.save()
    browser = Client(headers={"X-Lab": str(pat.lab.id)})
    browser.force_login(user)
    proved_who_they_are(browser, user)
    return browser


@pytest.mark.parametrize("pin", ["12345", "1234567890123", "111111", "123456", "987654", "12a456"])
def test_a_pin_that_is_guessed_first_is_none(without_password, pin):
    assert without_password.post(reverse("ui:signing-pin"), {"pin": pin, "again": pin}).status_code == 422
    assert not SigningPin.objects.exists()


def test_a_pin_signs_and_is_locked_after_five_wrong_ones(without_password, address, pat):
    browser, page = without_password, reverse("ui:signing-pin")
    assert "Set a signing PIN" in look(browser, address).content.decode()
    assert browser.post(page, {"pin": PIN, "again": PIN}).status_code == 302
    assert SigningPin.objects.get().hashed != PIN
    wrong = form_of(look(browser, address), "pin", "935172")
    for _ in range(5):
        assert browser.post(address, wrong).status_code == 422
    cache.clear()  # whatever the rates say
    assert browser.post(address, wrong | {"proof": PIN}).status_code == 429
    assert not Result.objects.exists()
    browser.post(page, {"pin": "816204", "again": "816204"})
    assert browser.post(address, wrong | {"proof": "816204"}).status_code == 302
    assert Signature.objects.get().method == "pin"
    browser.post(reverse("ui:signing-pin-remove"))
    actions = list(
        Entry.objects.filter(action__startswith="account.signing").values_list("action", flat=True)
    )
    assert sorted(actions) == [
        *("account.signing_pin_changed", "account.signing_pin_locked"),
        *("account.signing_pin_removed", "account.signing_pin_set"),
    ]
    assert not SigningPin.objects.exists()


def test_a_pin_is_told_by_mail(without_password, mailoutbox):
    without_password.post(reverse("ui:signing-pin"), {"pin": PIN, "again": PIN})
    assert "A signing PIN was set or changed" in "".join(str(one.body) for one in mail.outbox)


@pytest.fixture
def at_provider(without_password, pat, settings):
    person = {"sub": "0815", "name": "Pat", "email": pat.membership.user.email, "email_verified": True}
    SocialAccount.objects.create(user=pat.membership.user, provider="hospital", uid="0815", extra_data={})
    with openid.running() as provider:
        settings.SOCIALACCOUNT_PROVIDERS = provider.settings(says_when=True)
        provider.person = person
        yield provider


def there_and_back(browser, address):
    """Go to the provider with what is to be signed, say yes there, and come back to the page."""
    left = browser.post(f"{address}elsewhere/", form_of(look(browser, address), "provider"))
    assert "max_age=0" in left.context["url"]
    back = urlsplit(httpx.get(left.context["url"]).headers["Location"])
    return browser.get(urlunsplit(("", "", back.path, back.query, "")))


def test_a_fresh_sign_in_at_the_provider_signs_once(without_password, at_provider, address):
    browser = without_password
    assert there_and_back(browser, address).url == address
    page = browser.get(address)
    assert page.context["came_back"]
    form = form_of(page, "provider")
    assert form["reason"] == FEW
    assert browser.post(address, form).status_code == 302
    assert Signature.objects.get().method == "provider"
    assert browser.session.get("fresh_sign_in") is None


@pytest.mark.parametrize("what", ["nobody", "an old sign-in", "somebody else"])
def test_without_one_nothing_is_signed(without_password, at_provider, address, what, monkeypatch):
    browser = without_password
    if what == "an old sign-in":
        monkeypatch.setattr(openid.Code, "get_auth_time", lambda self: self.auth_time - 3600)
    if what == "somebody else":
        at_provider.person = {**at_provider.person, "sub": "4711"}
    if what != "nobody":
        there_and_back(browser, address)
    page = look(browser, address)
    assert not page.context["came_back"]
    assert browser.post(address, form_of(page, "provider")).status_code == 422
    assert not Result.objects.exists()


def test_a_fresh_sign_in_for_one_document_signs_no_other(
    without_password, at_provider, address, pat, read_case
):
    browser = without_password
    there_and_back(browser, address)
    change_identifiers(read_case, {"name": "Somebody Else"})
    assert browser.post(address, form_of(look(browser, address), "provider")).status_code == 422


def test_a_cell_decided_in_a_second_browser_is_told_and_nothing_is_signed(browser, address, pat, read_case):
    form = form_of(look(browser, address), "password", PASSWORD)
    cell = present(CellState.objects.first()).cell_id
    reading = Reading.objects.select_related("case__lab", "lab").get()
    decide(reading, [cell], "monocyte", by=pat.membership.user)
    answer = browser.post(address, form)
    assert answer.status_code == 409
    assert {"Neutrophil", "Monocyte"} <= set(answer.context["changed"])
    assert not Result.objects.exists()
    again = form_of(answer, "password", PASSWORD)
    assert browser.post(address, again).status_code == 302


def test_a_remark_made_in_a_second_browser_is_told_and_nothing_is_signed(browser, address, pat, read_case):
    form = form_of(look(browser, address), "password", PASSWORD)
    reading = Reading.objects.select_related("case__lab", "lab").get()
    make_remark(reading, subject="general", term="words", words="Clots.", by=pat.membership.user)
    answer = browser.post(address, form)
    assert (answer.status_code, answer.context["changed"]) == (409, ["Remarks"])
    assert "Clots." in answer.content.decode()
    assert not Result.objects.exists()
    assert browser.post(address, form_of(answer, "password", PASSWORD)).status_code == 302


def test_an_image_that_is_tried_again_keeps_it_from_being_signed(browser, address, read_case):
    image = present(Image.objects.first())
    chunk = present(Chunk.objects.first())
    Image.objects.filter(id=image.id).update(status=Image.Status.FAILED)
    Chunk.objects.filter(id=chunk.id).update(state=Chunk.State.DEAD)
    form = form_of(look(browser, address), "password", PASSWORD)
    requeue(read_case)
    answer = browser.post(address, form)
    assert answer.status_code == 409
    assert "on their way or being classified" in answer.content.decode()
    assert not Result.objects.exists()


def test_an_expired_session_signs_nothing(browser, address):
    form = form_of(look(browser, address), "password", PASSWORD)
    browser.session.flush()
    answer = browser.post(address, form)
    assert answer.url.startswith(reverse("account_login"))
    assert not Result.objects.exists()


def test_somebody_demoted_a_second_ago_signs_nothing(browser, address, pat):
    form = form_of(look(browser, address), "password", PASSWORD)
    change_role(pat.membership, Role.TECHNICIAN)
    assert browser.post(address, form).status_code == 403
    assert not Result.objects.exists()


def test_the_other_pages_say_that_the_review_is_over(browser, pat, read_case):
    signed(read_case, pat)
    answer = browser.post(reverse("ui:case-slides", args=[read_case.id]), {"label": "S-9"})
    assert answer.status_code == 409
    assert "The review is over" in answer.content.decode()
    answer = pat.api.send(f"/cases/{read_case.id}/uploads/", {"files": [{"name": "a.jpg", "size": 10}]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "review_over")


def test_patient_details_that_changed_since_are_said(browser, pat, read_case):
    signed(read_case, pat)
    change_identifiers(read_case, {"name": "Pat Sample"})
    page = browser.get(reverse("ui:last-result", args=[read_case.id])).content.decode()
    assert "Patient details changed since it was signed: Name" in page
    assert "Pat Example" in page


def test_amending_and_voiding_by_the_page(browser, pat, read_case):
    signed(read_case, pat)
    for name, version, to in (("amend", 1, "ui:case"), ("void", 1, "ui:last-result")):
        page = reverse(f"ui:{name}", args=[read_case.id])
        assert browser.get(page).status_code == 200
        assert browser.post(page, {"version": version, "reason": ""}).status_code == 422
        answer = browser.post(page, {"version": version, "reason": "Why."})
        assert answer.url == reverse(to, args=[read_case.id])
        shown_ = browser.get(reverse("ui:last-result", args=[read_case.id])).content.decode()
        assert "Why." in shown_
    assert now(read_case).review == Review.VOID
    assert (
        "Void: the result of this case"
        in browser.get(reverse("ui:case", args=[read_case.id])).content.decode()
    )


def test_an_amendment_is_withdrawn_by_the_page(browser, pat, read_case):
    signed(read_case, pat)
    amend(read_case, pat.membership, version=1, reason="Why.")
    answer = browser.post(reverse("ui:amend-withdraw", args=[read_case.id]), {"version": 1})
    assert answer.status_code == 302
    assert Result.objects.get().status == "final"


def test_by_the_api_a_session_signs_and_a_token_never_does(pat, read_case):
    seen = shown(read_case)
    body = {**vars(seen), "method": "password", "proof": PASSWORD}
    address = f"/api/v1/cases/{read_case.id}/sign/"
    answer = pat.api.send(f"/cases/{read_case.id}/sign/", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_by_token")
    prepared = pat.api.send(f"/cases/{read_case.id}/sign/prepare/", {"reason": FEW}).json()
    assert (prepared["sha256"], prepared["missing"]) == (seen.sha256, [])
    wrong = pat.browser.post(address, json.dumps(body | {"proof": "no"}), "application/json")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (403, "not_proved")
    moved = pat.browser.post(address, json.dumps(body | {"sha256": "0" * 64}), "application/json")
    assert (moved.status_code, moved.json()["error"]["code"]) == (409, "moved")
    right = pat.browser.post(address, json.dumps(body), "application/json")
    assert (right.status_code, right.json()["sha256"]) == (201, seen.sha256)
    listed = pat.api.read(f"/cases/{read_case.id}/results/").json()
    assert [(one["version"], one["status"]) for one in listed] == [(1, "final")]


def test_who_may_not_see_patients_sees_the_result_without(charlie, pat, read_case):
    supervisor = person(pat.lab, "Sue", Role.SUPERVISOR)
    reading = Reading.objects.select_related("case__lab", "lab").get()
    about = {"words": "Pat's sister said so.", "by": pat.membership.user}
    make_remark(reading, subject="red_cells", term="macrocytes", grade="2+", **about)
    signed(read_case, pat)
    answer = supervisor.api.read(f"/cases/{read_case.id}/result/").json()
    (remark,) = answer["document"]["remarks"]
    assert (remark["term"], remark["grade"], remark["words"]) == ("macrocytes", "2+", None)
    assert "sister" not in json.dumps(answer)
    assert answer["document"]["patient"] is None
    assert "Pat Example" not in json.dumps(answer)
    assert FEW not in json.dumps(answer)
    page = supervisor.browser.get(reverse("ui:last-result", args=[read_case.id])).content.decode()
    assert "Pat Example" not in page
    assert "Macrocytes 2+" in page
    assert "sister" not in page
    assert charlie.api.read(f"/cases/{read_case.id}/result/").status_code == 404


def test_a_result_costs_the_same_for_few_cells_and_for_many(browser, pat, read_case):
    more = ready(pat, "A-2", cells=90)
    costs = []
    for case in (read_case, more):
        signed(case, pat)
        path = reverse("ui:last-result", args=[case.id])
        browser.get(path)  # what is recorded at a first visit is
        costs.append(queries(browser, path))
    assert costs[0] == costs[1] <= 24
