"""Invitations: a mailed link, good once, for one person, until it expires or is revoked."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from tests.support.people import person, proved_who_they_are
from tests.support.present import present
from webapp.accounts.services import create_account
from webapp.audit.models import Entry
from webapp.labs.models import Invitation, Membership
from webapp.labs.permissions import Role

pytestmark = pytest.mark.usefixtures("plain_static")

NEW = "nina@northern.example"


@pytest.fixture
def ada(lab):
    return person(lab, "Ada", Role.ADMIN)


@pytest.fixture
def link(ada) -> str:
    invite(ada)
    return link_of(mail.outbox[-1])


def invite(ada, email=NEW, role="technician"):
    return ada.browser.post(reverse("ui:invite"), {"email": email, "role": role}, follow=True)


def link_of(message) -> str:
    return present(re.search(r"http://testserver(/invitations/\S+/)", message.body))[1]


def signed_in(email) -> Client:
    user = create_account(email, name=email.partition("@")[0].capitalize())
    browser = Client()
    browser.force_login(user)
    proved_who_they_are(browser, user)
    return browser


def only_invitation(ada) -> Invitation:
    with scope(lab=ada.lab):
        return Invitation.objects.get()


def test_the_mail_says_who_invites_to_what_until_when(ada, link):
    (message,) = mail.outbox
    assert message.to == [NEW]
    for said in ("Ada", "Northern lab", "technician", NEW):
        assert said in message.body


def test_the_secret_is_kept_as_a_hash_alone(ada, link):
    secret = link.split("/")[2].partition(":")[0]
    row = only_invitation(ada)
    assert secret not in "".join(str(value) for value in vars(row).values())
    assert len(bytes(row.digest)) == 32


def test_whoever_owns_the_address_joins_with_the_role(ada, link):
    browser = signed_in(NEW.upper())
    assert "Join the lab" in browser.get(link).content.decode()
    assert "Welcome to Northern lab" in browser.post(link, follow=True).content.decode()
    with scope(lab=ada.lab):
        assert Membership.objects.get(user__email__iexact=NEW).role == Role.TECHNICIAN
    trail = Entry.objects.filter(chain=ada.lab.id, action__in=["member.invited", "member.joined"])
    assert [(entry.actor_name, entry.action) for entry in trail.order_by("seq")] == [
        ("Ada", "member.invited"),
        ("Nina", "member.joined"),
    ]


def test_it_works_once(ada, link):
    browser = signed_in(NEW)
    browser.post(link)
    assert browser.get(link).status_code == 404


def test_somebody_else_does_not_get_in_with_it(ada, link):
    browser = signed_in("mallory@northern.example")
    assert "You are signed in as mallory" in browser.get(link).content.decode()
    browser.post(link)
    with scope(lab=ada.lab):
        assert not Membership.objects.filter(user__email="mallory@northern.example").exists()
    only_invitation(ada)


def test_whoever_has_no_account_makes_one_though_sign_up_is_closed_and_joins(ada, link):
    sign_up = f"{reverse('account_signup')}?next={link.replace(':', '%3A')}"
    browser = Client()
    page = browser.get(link).content.decode()
    assert f'href="{sign_up}"' in page
    assert f'href="{sign_up.replace("signup", "login")}"' in page
    form = {"email": NEW, "password1": "correct horse battery staple", "name": "Nina"}
    assert browser.post(sign_up, {**form, "email": "mallory@northern.example"}).status_code == 200
    assert browser.post(sign_up, form)["Location"] == link
    assert "Welcome to Northern lab" in browser.post(link, follow=True).content.decode()
    with scope(lab=ada.lab):
        assert Membership.objects.filter(user__name="Nina").exists()


@pytest.mark.parametrize("link", ["/invitations/made-up/", "/invitations/made:up/", "/invitations/%00/"])
def test_a_forged_link_leads_nowhere(db, link):
    assert Client().get(link).status_code == 404


def test_an_expired_one_leads_nowhere_until_it_is_sent_again(ada, link):
    invitation = only_invitation(ada)
    with scope(lab=ada.lab):
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    browser = signed_in(NEW)
    assert browser.get(link).status_code == 404
    assert "Expired" in ada.browser.get(reverse("ui:members")).content.decode()
    ada.browser.post(reverse("ui:invitation-renew", args=[invitation.id]))
    assert browser.get(link).status_code == 404
    assert browser.get(link_of(mail.outbox[-1])).status_code == 200


def test_a_revoked_one_leads_nowhere(ada, link):
    ada.browser.post(reverse("ui:invitation-revoke", args=[only_invitation(ada).id]))
    assert signed_in(NEW).get(link).status_code == 404


def test_nobody_is_invited_twice_nor_when_they_belong_to_the_lab(ada, alice, link):
    assert "is invited already" in invite(ada, NEW.upper()).content.decode()
    assert "is a member of Northern lab already" in invite(ada, "Alice@northern.example").content.decode()
    assert len(mail.outbox) == 1


def test_two_labs_may_invite_one_person(ada, charlie, link):
    invite(charlie)
    browser = signed_in(NEW)
    for message in mail.outbox:
        browser.post(link_of(message))
    assert b"Work in another lab" in browser.get(reverse("ui:worklist")).content


@pytest.mark.parametrize(("email", "role"), [("", "technician"), ("nina", "technician"), (NEW, "chief")])
def test_a_bad_invitation_is_told(ada, email, role):
    response = invite(ada, email, role)
    assert response.status_code == 422
    assert b"field-error" in response.content
    assert mail.outbox == []


# --- how many -----------------------------------------------------------------------------------------------


def test_a_lab_sends_only_so_many_a_day(ada, charlie, settings):
    settings.INVITATIONS_A_DAY = 3
    for number in range(3):
        assert invite(ada, f"guest{number}@northern.example").status_code == 200
    refused = invite(ada, "guest4@northern.example")
    assert refused.status_code == 429
    assert "may send no more" in refused.content.decode()
    assert len(mail.outbox) == 3
    with scope(lab=ada.lab):
        again = present(Invitation.objects.first())
        assert Invitation.objects.count() == 3
    page = ada.browser.post(reverse("ui:invitation-renew", args=[again.id]), follow=True)
    assert "may send no more" in page.content.decode()
    assert link_of(mail.outbox[-1])
    assert len(mail.outbox) == 3
    assert invite(charlie).status_code == 200  # each lab has its own count


def test_what_was_sent_yesterday_counts_no_more(ada, settings, monkeypatch):
    settings.INVITATIONS_A_DAY = 1
    invite(ada)
    assert invite(ada, "other@northern.example").status_code == 429
    tomorrow = timezone.now() + timedelta(hours=24, minutes=1)
    monkeypatch.setattr("webapp.labs.invitations.timezone.now", lambda: tomorrow)
    assert invite(ada, "other@northern.example").status_code == 200


def test_one_address_is_sent_only_so_many_even_when_they_are_revoked(ada):
    for _ in range(3):
        assert invite(ada, NEW.upper()).status_code == 200
        ada.browser.post(reverse("ui:invitation-revoke", args=[only_invitation(ada).id]))
    refused = invite(ada)
    assert refused.status_code == 429
    assert f"{NEW} was sent 3 invitations within 24 hours" in refused.content.decode()
    assert len(mail.outbox) == 3


def test_a_former_link_still_leads_there_where_another_was_rejected(ada, settings):
    settings.INVITATIONS_A_DAY_TO_ONE = 1
    invite(ada)
    ada.browser.post(reverse("ui:invitation-renew", args=[only_invitation(ada).id]))
    assert Client().get(link_of(mail.outbox[0])).status_code == 200
