"""API tokens: made, shown once, limited in time, place, scope and rate, and revoked."""

import re
from datetime import timedelta
from io import StringIO
from unittest.mock import patch

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connection
from django.shortcuts import resolve_url
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from tests.support.people import PASSWORD, Api, person
from tests.support.present import present
from webapp.accounts.models import User
from webapp.audit.models import Entry
from webapp.labs.models import ApiToken
from webapp.labs.permissions import Permission, Role
from webapp.labs.selectors import memberships_of
from webapp.labs.services import add_member
from webapp.labs.tokens import issue_token, network

pytestmark = pytest.mark.usefixtures("plain_static", "fresh_rates")


def make(someone, **form):
    asked = {"name": "Analyser", "days": "30", "scopes": ["view_cases"], **form}
    return someone.browser.post(reverse("ui:token-new"), asked)


def secret_on(page) -> str:
    return present(re.search(r"hv_[\w-]{43}", page.content.decode()))[0]


def api(secret, address="127.0.0.1") -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"}, REMOTE_ADDR=address)


def reads(secret, address="127.0.0.1") -> int:
    return api(secret, address).get("/api/v1/cases/").status_code


def token_of(secret) -> ApiToken:
    from django_scopes import scopes_disabled

    with scopes_disabled():
        return ApiToken.objects.get(prefix=secret[:11])


def change(secret, **values):
    token = token_of(secret)
    for name, value in values.items():
        setattr(token, name, value)
    token.save()


def test_a_secret_is_shown_once(alice):
    page = make(alice)
    secret = secret_on(page)
    assert "no-store" in page["Cache-Control"]
    assert reads(secret) == 200
    later = alice.browser.get(reverse("ui:tokens")).content.decode()
    assert secret not in later
    assert secret[:11] in later
    assert secret not in str(vars(token_of(secret)))


def test_a_token_does_no_more_than_its_scopes(alice):
    secret = secret_on(make(alice))
    made = api(secret).post("/api/v1/cases/", {"accession": "X"}, content_type="application/json")
    assert made.status_code == 403


def test_scopes_give_nothing_that_the_owner_may_not(alice):
    _, secret = issue_token(alice.membership, "greedy", scopes=Permission)
    assert api(secret).get("/api/v1/lab/tokens/").status_code == 403
    page = make(alice, scopes=["manage_tokens"])
    assert page.status_code == 422


@pytest.mark.parametrize(
    "form", [{"name": ""}, {"days": "9999"}, {"scopes": []}, {"networks": "10.0.0.1/8"}, {"networks": "home"}]
)
def test_a_form_that_cannot_be_used_is_told(alice, form):
    page = make(alice, **form)
    assert page.status_code == 422
    assert b"field-error" in page.content


def test_an_expired_token_opens_nothing(alice):
    secret = secret_on(make(alice))
    change(secret, expires_at=timezone.now() - timedelta(seconds=1))
    assert reads(secret) == 401


@pytest.mark.parametrize(
    ("networks", "address", "status"),
    [
        ("192.0.2.0/24", "192.0.2.77", 200),
        ("192.0.2.0/24", "198.51.100.1", 401),
        ("192.0.2.0/24 2001:db8::/32", "2001:db8::1", 200),
        ("2001:db8::/32", "192.0.2.1", 401),
        ("192.0.2.0/24", "::ffff:192.0.2.5", 200),
        ("192.0.2.1", "192.0.2.1", 200),
        ("192.0.2.0/24", "", 401),
    ],
)
def test_a_token_is_used_from_its_networks_alone(alice, networks, address, status):
    assert reads(secret_on(make(alice, networks=networks)), address) == status


def test_behind_a_proxy_the_address_is_whom_it_speaks_for(alice, settings):
    secret = secret_on(make(alice, networks="192.0.2.0/24"))
    headers = {"Authorization": f"Bearer {secret}", "X-Forwarded-For": "192.0.2.1"}
    spoofed = Client(headers=headers, REMOTE_ADDR="198.51.100.1")
    assert spoofed.get("/api/v1/cases/").status_code == 401
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    assert spoofed.get("/api/v1/cases/").status_code == 200


@pytest.mark.parametrize(
    ("text", "form"),
    [("192.0.2.0/24", "192.0.2.0/24"), (" 2001:DB8::/32", "2001:db8::/32"), ("10.1.1.1", "10.1.1.1/32")],
)
def test_networks_are_kept_in_their_usual_form(text, form):
    assert network(text) == form


def test_the_last_use_is_noted_once_a_minute(alice):
    secret = secret_on(make(alice))

    def writes() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            reads(secret)
        return sum("UPDATE" in query["sql"] for query in queries)

    assert [writes(), writes(), writes()] == [1, 0, 0]
    change(secret, last_used_at=timezone.now() - timedelta(seconds=61))
    assert [writes(), writes()] == [1, 0]


def test_each_token_has_a_rate_of_its_own(alice, settings):
    settings.API_RATE = "3/min"
    first, second = (secret_on(make(alice)) for _ in range(2))
    answers = [api(first).get("/api/v1/cases/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert answers[-1].json()["error"]["code"] == "throttled"
    assert reads(second) == 200


def test_owners_and_administrators_revoke(alice):
    ada = person(alice.lab, "Ada", Role.ADMIN)
    for someone, name in ((alice, "token-revoke"), (ada, "lab-token-revoke")):
        secret = secret_on(make(alice))
        someone.browser.post(reverse(f"ui:{name}", args=[token_of(secret).id]))
        assert reads(secret) == 401


def test_nobody_revokes_what_is_not_theirs(alice, charlie):
    bea = person(alice.lab, "Bea", Role.TECHNICIAN)
    token = token_of(secret_on(make(alice)))
    assert bea.browser.post(reverse("ui:token-revoke", args=[token.id])).status_code == 404
    assert bea.api.delete(f"/api/v1/tokens/{token.id}/").status_code == 404
    assert charlie.api.delete(f"/api/v1/lab/tokens/{token.id}/").status_code == 404


def test_the_api_makes_lists_and_revokes(alice):
    asked = {
        "email": alice.membership.user.email,
        "password": PASSWORD,
        "name": "LIS",
        "scopes": ["view_cases", "use_tokens"],
        "days": 7,
        "networks": ["127.0.0.1"],
    }
    made = Api().send("/tokens/", asked).json()
    client = api(made["token"])
    listed = client.get("/api/v1/tokens/").json()["results"]
    (row,) = [row for row in listed if row["id"] == made["id"]]
    assert (row["name"], row["networks"], row["prefix"]) == ("LIS", ["127.0.0.1/32"], made["token"][:11])
    assert sorted(row["scopes"]) == ["use_tokens", "view_cases"]
    assert made["token"] not in str(listed)
    assert client.delete(f"/api/v1/tokens/{made['id']}/").status_code == 204
    assert client.get("/api/v1/tokens/").status_code == 401


def test_the_lab_s_tokens_are_listed_with_their_owners(alice):
    ada = person(alice.lab, "Ada", Role.ADMIN)
    rows = ada.api.read("/lab/tokens/").json()["results"]
    assert {row["owner"] for row in rows} == {"ada@northern.example", "alice@northern.example"}
    assert b"Alice" in ada.browser.get(reverse("ui:lab-tokens")).content


def test_no_token_outlives_what_the_server_allows(alice, settings):
    settings.TOKEN_DAYS = 10
    token, _ = issue_token(alice.membership, "long", days=4000)
    assert present(token.expires_at) <= timezone.now() + timedelta(days=10)


def test_where_a_role_may_not_use_tokens_those_there_are_open_nothing(alice):
    alice.lab.permission_changes = {"technician": {"use_tokens": False}}
    alice.lab.save()
    assert alice.api.read("/cases/").status_code == 401
    refused = Api().send("/tokens/", {"email": alice.membership.user.email, "password": PASSWORD})
    assert refused.status_code == 403


def test_a_token_is_named_in_the_trail(alice):
    from webapp.audit.models import Entry

    alice.api.send("/cases/", {"accession": "T-1"})
    entry = Entry.objects.filter(chain=alice.lab.id, action="case.created").latest("seq")
    assert entry.token == alice.token[:11]
    with scope(lab=alice.lab):
        assert ApiToken.objects.get(prefix=entry.token).membership_id == alice.membership.id


# --- a new password -----------------------------------------------------------------------------------------

NEW_PASSWORD = "a quite different one"


def change_password(user, browser) -> None:
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    page = browser.post(reverse("account_change_password"), form, follow=True)
    assert b"API tokens have ended" in page.content


def reset_password(user, browser) -> None:
    browser.logout()
    browser.post(reverse("account_reset_password"), {"email": user.email})
    code = present(re.search(r"^    (\S+)$", str(mail.outbox[-1].body), re.MULTILINE))[1]
    browser.post(reverse("account_confirm_password_reset_code"), {"code": code})
    asked = browser.get(reverse("account_complete_password_reset")).content
    assert b"all your API tokens end with the old password" in asked
    form = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    browser.post(reverse("account_complete_password_reset"), form)


def command(user, browser) -> None:
    """`manage changepassword`, which asks for it at the terminal."""
    with patch("getpass.getpass", return_value=NEW_PASSWORD):
        call_command("changepassword", user.email, stdout=StringIO())


@pytest.mark.parametrize("replace", [change_password, reset_password, command])
def test_tokens_end_with_the_password_that_made_them(alice, charlie, replace):
    user, others = alice.membership.user, charlie.token
    elsewhere = add_member(charlie.lab, email=user.email, name="", role=Role.TECHNICIAN, password="")
    _, there = issue_token(elsewhere, "in another lab")
    by_password = alice.api.send(
        "/tokens/", {"email": user.email, "password": PASSWORD, "lab": str(alice.lab.id)}
    )
    stolen = by_password.json()["token"]
    assert [reads(secret) for secret in (alice.token, stolen, there)] == [200] * 3
    replace(user, alice.browser)
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)
    assert [reads(secret) for secret in (alice.token, stolen, there, others)] == [401] * 3 + [200]
    ended = Entry.objects.filter(action="token.ended").values_list("chain", flat=True)
    assert sorted(ended) == sorted([alice.lab.id, alice.lab.id, charlie.lab.id])
    (told,) = [message for message in mail.outbox if "tokens have ended" in message.subject]
    assert told.to == [user.email]
    assert all(
        secret[:11] in told.body and secret not in told.body for secret in (alice.token, stolen, there)
    )


def test_none_is_made_with_a_password_that_is_replaced_meanwhile(alice):
    (asking,) = memberships_of(User.objects.get(pk=alice.membership.user_id))
    owner = User.objects.get(pk=alice.membership.user_id)
    owner.set_password(NEW_PASSWORD)
    owner.save()
    with scope(lab=alice.lab):
        with pytest.raises(PermissionDenied):
            issue_token(asking, "too late")
        assert not ApiToken.objects.filter(membership=alice.membership).exists()


def test_hashing_the_same_password_anew_ends_none(alice, settings):
    hashers = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
    settings.PASSWORD_HASHERS = hashers
    user = alice.membership.user
    assert user.check_password(PASSWORD)
    user.refresh_from_db()
    assert user.password.startswith("pbkdf2")
    assert reads(alice.token) == 200


def test_a_token_does_not_borrow_the_session_it_comes_with(alice, charlie) -> None:
    """Pages that ask for a fresh sign-in would take that of the thief of a token."""
    stolen = {"Authorization": f"Bearer {charlie.token}"}
    answer = alice.browser.get(reverse("ui:worklist"), headers=stolen)
    assert answer["Location"].startswith(resolve_url(django_settings.LOGIN_URL))
