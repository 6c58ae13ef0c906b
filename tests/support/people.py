"""The cast: Alice works in the lab, Bob is in the lab but may not see cases, Charlie runs another lab."""

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.test import Client
from django_scopes import scope
from pytest_django import Settings

from tests.support.present import present
from webapp.accounts.models import User
from webapp.cases.models import Case
from webapp.cases.services import create_case
from webapp.labs.models import Lab, Membership
from webapp.labs.permissions import Permission, Role, allows
from webapp.labs.services import add_member
from webapp.labs.tokens import issue_token

if TYPE_CHECKING:
    from django.test.client import (
        _MonkeyPatchedWSGIResponse as Answer,  # only the stubs name what a client returns
    )

PASSWORD = "correct horse battery staple"


@dataclass
class Person:
    membership: Membership
    token: str
    session: str = ""
    """Of a browser in which they are signed in already."""

    @property
    def lab(self) -> Lab:
        return self.membership.lab

    @property
    def api(self) -> "Api":
        return Api(headers={"Authorization": f"Bearer {self.token}"})

    @property
    def browser(self) -> Client:
        """At a page of the lab: what it sends says so."""
        client = Client(headers={"X-Lab": str(self.lab.id)})
        if self.session:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.session
        else:
            client.force_login(self.membership.user)
        proved_who_they_are(client, self.membership.user)
        return client

    def signed_in(self) -> "Person":
        """The same, in whose browsers nobody has to sign in again."""
        return replace(self, session=present(self.browser.session.session_key))

    def case(self, accession: str = "A-1") -> Case:
        with scope(lab=self.lab):
            return create_case(self.lab, accession=accession, by=self.membership.user)


def proved_who_they_are(client: Client, user: User, *, seconds_ago: float = 0) -> None:
    """Leave in the client's session what a real sign-in does: how it was done, and when."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - seconds_ago}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()


class Api(Client):
    """Posts JSON."""

    def send(self, path: str, body: object = None) -> "Answer":
        return self.post(f"/api/v1{path}", json.dumps(body), content_type="application/json")

    def read(self, path: str, **query: str) -> "Answer":
        return self.get(f"/api/v1{path}", query)


def person(lab: Lab, name: str, role: Role) -> Person:
    email = f"{name.lower()}@{lab.name.split()[0].lower()}.example"
    membership = add_member(lab, email=email, name=name, role=role, password=PASSWORD)
    _, token = issue_token(membership, "tests")
    return Person(membership, token)


def role_that_may(permission: Permission) -> Role:
    """One whose members have `permission`: administrators, where they do."""
    roles: tuple[Role, ...] = (Role.ADMIN, *Role)
    return next(role for role in roles if allows(role, permission))


QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """A hash made to be slow would be most of the run."""
    settings.PASSWORD_HASHERS = QUICK_HASHERS


@pytest.fixture
def lab(db: None) -> Lab:
    return Lab.objects.create(name="Northern lab")


@pytest.fixture
def alice(lab: Lab) -> Person:
    return person(lab, "Alice", Role.TECHNICIAN)


@pytest.fixture
def bob(lab: Lab) -> Person:
    return person(lab, "Bob", Role.CLINICIAN)


@pytest.fixture
def charlie(db: None) -> Person:
    return person(Lab.objects.create(name="Southern lab"), "Charlie", Role.ADMIN)
