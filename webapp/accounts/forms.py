from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import (
    ChangePasswordForm,
    RequestLoginCodeForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
    SignupForm,
)
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from webapp.accounts.models import User


class SignUpForm(SignupForm):  # type: ignore[misc]  # allauth carries no types
    """Where sign-up is by invitation, the address is the invited one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if invited := get_adapter().invited_address(context.request):
            self.fields["email"].initial = invited

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        if self.account_already_exists:
            # As long as for a new account: else its time would tell that there is one.
            User().set_password(self.cleaned_data["password1"])
        saved: tuple[User | None, HttpResponse | None] = super().try_save(request)
        return saved

    def clean_email(self) -> str:
        email: str = super().clean_email()
        if not get_adapter().may_sign_up(context.request, {email}):
            invited = get_adapter().invited_address(context.request)
            raise forms.ValidationError(
                _("You were invited as %(email)s. Sign up with that address."), params={"email": invited}
            )
        return email


class _LooksTwice:
    """Looks among the accounts for known addresses too, as allauth does for those that it does not know."""

    def clean_email(self) -> str:
        email: str = super().clean_email()  # type: ignore[misc]
        if EmailAddress.objects.filter(email=email.lower(), verified=True).exists():
            list(User.objects.filter(email=email.lower()).iterator())
        return email


class CodeForm(_LooksTwice, RequestLoginCodeForm):  # type: ignore[misc]
    """Asks for a code to sign in with."""


class ForgottenPasswordForm(_LooksTwice, ResetPasswordForm):  # type: ignore[misc]
    """Asks for a code to set a new password with."""


class _TellsOfTokens:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["password1"]  # type: ignore[attr-defined]
        ends = _("Your other sessions and all your API tokens end with the old password.")
        field.help_text = format_html("<p>{}</p>{}", ends, field.help_text or "")


class NewPasswordForm(_TellsOfTokens, ChangePasswordForm):  # type: ignore[misc]
    """A new password by who knows the old one."""


class PasswordByCodeForm(_TellsOfTokens, ResetPasswordKeyForm):  # type: ignore[misc]
    """A new password by who was mailed a code."""


class SecurityKeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """Allauth's own has no label that could be translated."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name")
