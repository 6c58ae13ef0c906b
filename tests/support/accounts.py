"""What people do to sign in, as a browser sees it, and what is kept of it on record."""

import re
from typing import Any

from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from tests.support.people import PASSWORD
from tests.support.present import present
from webapp.accounts.models import User
from webapp.audit.models import Entry


def mailed_code(message: EmailMessage) -> str:
    return present(re.search(r"^    (\S+)$", str(message.body), re.MULTILINE))[1]


def is_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


def sign_in(browser: Client, email: str, password: str = PASSWORD) -> Any:
    return browser.post(reverse("account_login"), {"login": email, "password": password})


def done_by(user: User) -> list[str]:
    return list(Entry.objects.filter(actor_id=user.pk).order_by("seq").values_list("action", flat=True))
