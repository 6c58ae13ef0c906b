"""Making an account, signing in and out, and looking after the account, as a browser sees it."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core import signing
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests.support import second_factor
from tests.support.pages import plain_static
from tests.support.people import PASSWORD, Person, proved_who_they_are
from tests.support.present import present
from webapp.accounts import devices
from webapp.accounts.models import User
from webapp.accounts.sign_in import welcome
from webapp.audit.models import Entry

__all__ = ["plain_static"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static", "no_rates_yet")]
NEW = {"name": "Nora New", "email": "nora@hospital.example", "password1": PASSWORD}


@pytest.fixture
def no_rates_yet():
    cache.clear()


@pytest.fixture
def anyone_may_sign_up(settings):
    settings.SIGN_UP = "open"


def mailed_code(message) -> str:
    return present(re.search(r"^    (\S+)$", message.body, re.MULTILINE))[1]


def is_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


def sign_in(browser: Client, email: str, password: str = PASSWORD):
    return browser.post(reverse("account_login"), {"login": email, "password": password})


def end_of_session(browser: Client) -> str:
    session = UserSession.objects.get(session_key=browser.session.session_key)
    return reverse("ui:end-session", args=[session.pk])


def done_by(user: User) -> list[str]:
    return list(Entry.objects.filter(actor_id=user.pk).order_by("seq").values_list("action", flat=True))


# --- making an account --------------------------------------------------------------------------------------


def test_an_account_is_of_use_once_the_mailed_code_is_entered(anyone_may_sign_up, mailoutbox):
    browser = Client()
    confirm = browser.post(reverse("account_signup"), NEW)["Location"]
    assert not is_in(browser)
    assert b"code is wrong" in browser.post(confirm, {"code": "WRONG1"}).content
    browser.post(confirm, {"code": mailed_code(mailoutbox[0])})
    assert is_in(browser)
    assert b"not a member of a lab" in browser.get("/").content
    user = User.objects.get(name="Nora New")
    assert done_by(user) == ["account.signed_up", "account.signed_in"]


def test_a_code_is_not_guessed(anyone_may_sign_up, mailoutbox):
    browser = Client()
    confirm = browser.post(reverse("account_signup"), NEW)["Location"]
    for number in range(3):
        browser.post(confirm, {"code": f"GUESS{number}"})
    browser.post(confirm, {"code": mailed_code(mailoutbox[0])})
    assert not is_in(browser)


def test_nobody_learns_who_has_an_account(anyone_may_sign_up, alice, mailoutbox):
    email = alice.membership.user.email
    known = Client().post(reverse("account_signup"), {**NEW, "email": email})
    unknown = Client().post(reverse("account_signup"), NEW)
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert [message.to for message in mailoutbox] == [[email], [NEW["email"]]]
    assert "There is one already" in mailoutbox[0].body


def test_by_invitation_strangers_are_told_whom_to_ask():
    assert b"Ask an administrator of your lab" in Client().get(reverse("account_signup")).content
    Client().post(reverse("account_signup"), NEW)
    assert not User.objects.exists()


def test_who_was_invited_signs_up_with_that_address_alone(rf):
    browser = Client()
    request = rf.get("/")
    request.session = browser.session
    page = welcome(request, NEW["email"])
    request.session.save()
    assert NEW["email"].encode() in browser.get(page).content
    assert b"You were invited as" in browser.post(page, {**NEW, "email": "other@hospital.example"}).content
    browser.post(page, NEW)
    assert is_in(browser)
    assert EmailAddress.objects.get().verified


@pytest.mark.parametrize("password", ["short", "password1234", "nora@hospital.example"])
def test_a_poor_password_is_refused(anyone_may_sign_up, password):
    page = Client().post(reverse("account_signup"), {**NEW, "password1": password})
    assert b"field-error" in page.content


# --- signing in and out -------------------------------------------------------------------------------------


def test_in_and_out_with_a_password(alice):
    user, browser = alice.membership.user, Client()
    assert b"E-mail or password is wrong" in sign_in(browser, user.email, "wrong").content
    assert sign_in(browser, user.email.upper()).url == "/"
    browser.post(reverse("account_logout"))
    assert not is_in(browser)
    assert done_by(user) == ["account.signed_in", "account.signed_out"]
    assert Entry.objects.get(action="sign_in.failed").subject == user.email


def test_what_was_typed_for_an_unknown_address_is_not_kept():
    sign_in(Client(), "my-password@typed.example")
    assert "my-password" not in Entry.objects.get(action="sign_in.failed").subject


def test_in_with_a_mailed_code(alice, mailoutbox):
    browser = Client()
    browser.post(reverse("account_request_login_code"), {"email": alice.membership.user.email})
    browser.post(reverse("account_confirm_login_code"), {"code": mailed_code(mailoutbox[0])})
    assert is_in(browser)


def test_no_code_is_mailed_to_strangers(mailoutbox):
    page = Client().post(reverse("account_request_login_code"), {"email": "stranger@else.example"})
    assert page["Location"] == reverse("account_confirm_login_code")
    assert mailoutbox == []


def test_a_closed_account_stays_out(alice):
    user = alice.membership.user
    user.is_active = False
    user.save()
    browser = Client()
    sign_in(browser, user.email)
    assert not is_in(browser)


def test_passwords_are_not_guessed(alice):
    for number in range(5):
        sign_in(Client(), alice.membership.user.email, f"guess {number}")
    browser = Client()
    assert b"Too many attempts" in sign_in(browser, alice.membership.user.email).content
    assert not is_in(browser)


def sign_in_from(address: str, browser: Client, email: str, password: str = PASSWORD):
    form = {"login": email, "password": password}
    return browser.post(reverse("account_login"), form, REMOTE_ADDR=address)


def guess(email: str, addresses: list[str]) -> list[bool]:
    """Whether each of five guesses from each address was looked at."""
    pages = [
        sign_in_from(address, Client(), email, f"guess {number}")
        for address in addresses
        for number in range(5)
    ]
    return [b"Too many attempts" not in page.content for page in pages]


def test_a_strangers_guesses_do_not_shut_the_owner_out(alice):
    email = alice.membership.user.email
    assert all(guess(email, ["192.0.2.66"]))
    assert not guess(email, ["192.0.2.66"])[0]
    browser = Client()
    sign_in_from("192.0.2.7", browser, email)
    assert is_in(browser)


def test_nor_do_those_of_a_hundred_strangers_in_a_browser_that_is_known(alice, charlie):
    email = alice.membership.user.email
    known, new = Client(), Client()
    sign_in_from("192.0.2.7", known, email)
    known.post(reverse("account_logout"))
    sign_in_from("192.0.2.7", known, charlie.membership.user.email)  # the workstation is shared
    known.post(reverse("account_logout"))
    looked_at = guess(email, [f"198.51.100.{n}" for n in range(30)])
    assert (sum(looked_at), any(looked_at[50:])) == (50, False)
    assert b"Too many attempts" in sign_in_from("192.0.2.7", new, email).content
    sign_in_from("192.0.2.7", known, email)
    assert (is_in(known), is_in(new)) == (True, False)


def test_a_known_browser_guesses_no_more_than_another(alice):
    browser = Client()
    sign_in_from("192.0.2.7", browser, alice.membership.user.email)
    browser.post(reverse("account_logout"))
    for number in range(5):
        sign_in_from(f"192.0.2.{number}", browser, alice.membership.user.email, "wrong")
    assert b"Too many attempts" in sign_in_from("192.0.2.99", browser, alice.membership.user.email).content


def test_what_a_browser_remembers_names_nobody(alice):
    browser = Client()
    sign_in(browser, alice.membership.user.email)
    cookie = browser.cookies[settings.DEVICE_COOKIE_NAME]
    assert alice.membership.user.email not in str(signing.loads(cookie.value, salt=devices.SALT))
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_a_code_by_mail_opens_what_strangers_shut(alice, mailoutbox):
    user = alice.membership.user
    guess(user.email, [f"198.51.100.{n}" for n in range(11)])
    browser = Client()
    browser.post(reverse("account_reset_password"), {"email": user.email})
    browser.post(reverse("account_confirm_password_reset_code"), {"code": mailed_code(mailoutbox[0])})
    new = "a quite different one"
    browser.post(reverse("account_complete_password_reset"), {"password1": new, "password2": new})
    sign_in(browser, user.email, new)
    assert is_in(browser)


def test_work_goes_on_without_the_cache(alice, settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    browser = Client()
    sign_in(browser, alice.membership.user.email)
    assert is_in(browser)


# --- the account --------------------------------------------------------------------------------------------


def test_a_new_password_after_forgetting_the_old(alice, mailoutbox):
    user, browser = alice.membership.user, Client()
    browser.post(reverse("account_reset_password"), {"email": user.email})
    browser.post(reverse("account_confirm_password_reset_code"), {"code": mailed_code(mailoutbox[0])})
    new = "a quite different one"
    browser.post(reverse("account_complete_password_reset"), {"password1": new, "password2": new})
    user.refresh_from_db()
    assert user.check_password(new)
    assert "account.password_reset" in done_by(user)
    assert "Your password has been reset" in mailoutbox[-1].body


def test_a_changed_password_ends_the_other_sessions(alice, mailoutbox):
    here, there = alice.browser, alice.browser
    new = "a quite different one"
    changed = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    here.post(reverse("account_change_password"), changed)
    assert here.get(reverse("account_email")).status_code == 200
    assert there.get(reverse("account_email")).status_code == 302
    assert "HematoVision: Password changed" in [message.subject for message in mailoutbox]


def test_a_new_address_counts_once_it_is_proved(alice, mailoutbox):
    user, browser = alice.membership.user, alice.browser
    old, new = user.email, "alice@elsewhere.example"
    browser.post(reverse("account_email"), {"email": new, "action_add": ""})
    user.refresh_from_db()
    assert user.email == old
    to_new = next(message for message in mailoutbox if message.to == [new])
    browser.post(reverse("account_email_verification_sent"), {"code": mailed_code(to_new)})
    user.refresh_from_db()
    assert user.email == new
    assert [old] in [message.to for message in mailoutbox]
    assert "account.email_changed" in done_by(user)


def test_sessions_are_listed_and_end_at_once(alice):
    user, here, there = alice.membership.user, Client(), Client()
    sign_in(there, user.email)
    there.get("/")
    sign_in(here, user.email)
    assert here.get(reverse("usersessions_list")).context["session_count"] == 2
    here.post(reverse("usersessions_list"))
    assert there.get(reverse("ui:cases")).status_code == 302
    assert here.get(reverse("ui:cases")).status_code == 200
    assert "account.sessions_ended" in done_by(user)


def test_one_session_elsewhere_is_ended(alice, charlie):
    user, browsers = alice.membership.user, [Client() for _ in range(3)]
    here, phone, office = browsers
    for browser in browsers:
        sign_in(browser, user.email)
        browser.get("/")
    end = {browser: end_of_session(browser) for browser in browsers}
    page = here.get(reverse("usersessions_list")).content.decode()
    assert [end[browser] in page for browser in browsers] == [False, True, True]
    here.post(end[phone])
    assert [is_in(browser) for browser in browsers] == [True, False, True]
    assert done_by(user)[-1] == "account.sessions_ended"
    assert charlie.browser.post(end[office]).status_code == 404
    assert here.post(end[here]).status_code == 404
    assert is_in(here)
    assert is_in(office)


def test_another_name_and_the_old_one_stays_on_record(alice):
    user, browser = alice.membership.user, alice.browser
    browser.post(reverse("ui:name"), {"name": "Alice Married"})
    user.refresh_from_db()
    assert user.name == "Alice Married"
    entry = Entry.objects.get(action="account.name_changed")
    assert (entry.actor_name, entry.before, entry.after) == (
        "Alice",
        {"name": "Alice"},
        {"name": "Alice Married"},
    )
    assert browser.post(reverse("ui:name"), {"name": " "}).status_code == 422


# --- a second factor ----------------------------------------------------------------------------------------


@pytest.fixture
def with_app(alice) -> tuple[str, list[str]]:
    """Alice has an authenticator app: its secret, and the recovery codes that came with it."""
    browser = alice.browser
    activate = reverse("mfa_activate_totp")
    secret = browser.get(activate).context["form"].secret
    browser.post(activate, {"code": second_factor.code(secret)})
    codes = browser.get(reverse("mfa_view_recovery_codes")).context["unused_codes"]
    cache.clear()  # the code is used, and within these thirty seconds there is no other
    return secret, codes


def second_step(browser: Client, code: str) -> bool:
    browser.post(reverse("mfa_authenticate"), {"code": code})
    return is_in(browser)


@pytest.mark.django_db(transaction=True)  # sessions end once the factor is there for good
def test_a_new_factor_ends_sessions_begun_without_it(alice):
    user, here, there = alice.membership.user, Client(), Client()
    for browser in (here, there):
        sign_in(browser, user.email)
        browser.get("/")
    activate = reverse("mfa_activate_totp")
    secret = here.get(activate).context["form"].secret
    here.post(activate, {"code": second_factor.code(secret)})
    assert (is_in(here), is_in(there)) == (True, False)
    assert "account.sessions_ended" in done_by(user)


def test_the_password_alone_is_not_enough(alice, with_app):
    secret, _ = with_app
    browser = Client()
    assert sign_in(browser, alice.membership.user.email).url == reverse("mfa_authenticate")
    assert not is_in(browser)
    assert not second_step(browser, "000000")
    assert second_step(browser, second_factor.code(secret))


def test_a_code_serves_once(alice, with_app):
    secret, _ = with_app
    for expected in (True, False):
        browser = Client()
        sign_in(browser, alice.membership.user.email)
        assert second_step(browser, second_factor.code(secret)) is expected


def test_a_recovery_code_serves_once(alice, with_app):
    _, codes = with_app
    for expected in (True, False):
        browser = Client()
        sign_in(browser, alice.membership.user.email)
        assert second_step(browser, codes[0]) is expected
    assert done_by(alice.membership.user).count("account.recovery_code_used") == 1


def test_codes_are_not_guessed(alice, with_app):
    secret, _ = with_app
    browser = Client()
    sign_in(browser, alice.membership.user.email)
    for number in range(5):
        assert not second_step(browser, f"00000{number}")
    assert not second_step(browser, second_factor.code(secret))


def test_a_mailed_code_is_no_way_round_it(alice, with_app, mailoutbox):
    browser = Client()
    browser.post(reverse("account_request_login_code"), {"email": alice.membership.user.email})
    browser.post(reverse("account_confirm_login_code"), {"code": mailed_code(mailoutbox[-1])})
    assert not is_in(browser)


def test_factors_change_only_after_a_fresh_sign_in(alice, with_app):
    browser = alice.browser
    proved_who_they_are(browser, alice.membership.user, seconds_ago=3600)
    for page in ("mfa_deactivate_totp", "mfa_generate_recovery_codes", "mfa_add_webauthn", "account_email"):
        asked = browser.post(reverse(page), {"email": "new@else.example", "action_add": ""})
        assert "reauthenticate" in asked.url, page


def test_recovery_codes_are_shown_once(alice, with_app):
    shown = alice.browser.get(reverse("mfa_view_recovery_codes"))
    assert all(code.encode() not in shown.content for code in with_app[1])


# --- programs -----------------------------------------------------------------------------------------------


def test_a_token_asks_for_the_second_factor_too(alice, with_app):
    secret, codes = with_app
    body = {"email": alice.membership.user.email, "password": PASSWORD}

    def answer(**more):
        return alice.api.send("/tokens/", {**body, **more})

    assert answer().json()["error"]["code"] == "second_factor_needed"
    assert answer(password="wrong", code=codes[0]).json()["error"]["code"] == "wrong_credentials"
    assert answer(code="000000").json()["error"]["code"] == "second_factor_wrong"
    assert answer(code=second_factor.code(secret)).status_code == 201
    assert answer(code=codes[0]).status_code == 201
    assert answer(code=codes[0]).status_code == 401


def test_a_token_is_not_had_by_guessing_codes(alice, with_app):
    secret, _ = with_app
    body = {"email": alice.membership.user.email, "password": PASSWORD}
    for number in range(5):
        alice.api.send("/tokens/", {**body, "code": f"00000{number}"})
    assert alice.api.send("/tokens/", {**body, "code": second_factor.code(secret)}).status_code == 429


def test_a_token_needs_a_proved_address(alice):
    EmailAddress.objects.update(verified=False)
    body = {"email": alice.membership.user.email, "password": PASSWORD}
    assert alice.api.send("/tokens/", body).json()["error"]["code"] == "email_not_verified"


# --- the admin ----------------------------------------------------------------------------------------------


@pytest.fixture
def operator(alice: Person) -> User:
    user = alice.membership.user
    user.is_staff = user.is_superuser = True
    user.save()
    return user


def test_the_admin_is_behind_the_same_door(alice, bob):
    assert Client().get("/admin/login/")["Location"].startswith(reverse("account_login"))
    assert bob.browser.get("/admin/", follow=True).status_code == 403


def test_the_admin_asks_for_a_second_factor(alice, operator):
    page = alice.browser.get("/admin/", follow=True)
    assert page.redirect_chain[-1][0] == reverse("mfa_index")
    assert b"Set up a second factor first" in page.content


def test_admin_actions_ask_for_a_fresh_sign_in_and_are_on_record(alice, bob, operator, with_app):
    browser, other = alice.browser, bob.membership.user
    page = reverse("admin:accounts_user_change", args=[other.pk])
    proved_who_they_are(browser, operator, seconds_ago=3600)
    assert browser.get(page).status_code == 200
    assert "reauthenticate" in browser.post(page, {"name": "Bob"}).url
    proved_who_they_are(browser, operator)
    browser.post(page, {"name": "Bob"})
    other.refresh_from_db()
    assert not other.is_active
    entry = Entry.objects.get(action="account.changed")
    assert (entry.actor_id, entry.before, entry.after) == (
        operator.pk,
        {"is_active": True},
        {"is_active": False},
    )
    assert bob.browser.get("/").status_code == 302


def test_staff_lift_a_lost_factor_and_end_sessions(alice, bob, operator, with_app):
    staff = alice.browser
    user = bob.membership.user
    sign_in(there := Client(), user.email)
    changes = reverse("admin:accounts_user_changelist")
    staff.post(changes, {"action": "end_sessions", "_selected_action": [user.pk]})
    assert there.get(reverse("account_email")).status_code == 302
    staff.post(changes, {"action": "remove_second_factors", "_selected_action": [operator.pk]})
    assert staff.get("/admin/").status_code == 302
    assert Entry.objects.filter(action="account.factor_removed", subject_id=f"user {operator.pk}").exists()


def test_staff_without_all_powers_leave_superusers_alone(alice, bob, operator, with_app):
    superuser = bob.membership.user
    User.objects.filter(pk=superuser.pk).update(is_staff=True, is_superuser=True)
    operator.is_superuser = False
    operator.save()
    operator.user_permissions.set(Permission.objects.filter(content_type__model="user"))
    staff = alice.browser
    changes = reverse("admin:accounts_user_changelist")
    assert superuser.email.encode() not in staff.get(changes).content
    assert (
        staff.post(reverse("admin:accounts_user_change", args=[superuser.pk]), {"name": "X"}).status_code
        == 302
    )
    staff.post(changes, {"action": "end_sessions", "_selected_action": [superuser.pk]})
    superuser.refresh_from_db()
    assert superuser.is_active
    assert not Entry.objects.filter(action="account.sessions_ended").exists()
