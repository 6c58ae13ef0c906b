"""What a person may be asked to show who they are, for one deed."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from webapp.accounts.models import SigningPin, User


class Method(TextChoices):
    """How it is asked who is there."""

    PASSKEY = "passkey", _("Security key or passkey")
    TOTP = "totp", _("Code of the authenticator app")
    PASSWORD = "password", _("Password")
    PROVIDER = "provider", _("Fresh sign-in at the identity provider")
    PIN = "pin", _("Signing PIN")


def methods_of(user: User) -> list[Method]:
    """What may be asked of a person, the strongest first. A PIN is for who has nothing else."""
    found = own_methods(user)
    return found or ([Method.PIN] if SigningPin.objects.filter(user=user).exists() else [])


def own_methods(user: User) -> list[Method]:
    """What they sign in with: all but a PIN."""
    types = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    has = {
        Method.PASSKEY: Authenticator.Type.WEBAUTHN in types,
        Method.TOTP: Authenticator.Type.TOTP in types,
        Method.PASSWORD: user.has_usable_password(),
        Method.PROVIDER: bool(providers_of(user)),
    }
    return [method for method, there in has.items() if there]


def providers_of(user: User) -> list[Any]:
    """The person's identity providers that say when somebody signed in."""
    says_when = {app.provider_id for app in get_adapter().list_apps(None) if app.settings.get("says_when")}
    accounts = SocialAccount.objects.filter(user=user, provider__in=says_when).order_by("id")
    return [account.get_provider() for account in accounts]
