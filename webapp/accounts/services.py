from allauth.account.models import EmailAddress
from django.db import transaction

from webapp.accounts.models import User


@transaction.atomic
def create_account(email: str, *, name: str, password: str | None = None) -> User:
    """Make an account for somebody whose e-mail address its maker vouches for: no code is sent to it."""
    user = User.objects.create_user(email, password, name=name)
    EmailAddress.objects.create(user=user, email=user.email.lower(), verified=True, primary=True)
    return user
