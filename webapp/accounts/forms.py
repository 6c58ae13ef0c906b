from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import SignupForm
from allauth.core import context
from django import forms


class SignUpForm(SignupForm):  # type: ignore[misc]  # allauth carries no types
    """Where sign-up is by invitation, the address is the invited one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if invited := get_adapter().invited_address(context.request):
            self.fields["email"].initial = invited

    def clean_email(self) -> str:
        email: str = super().clean_email()
        if not get_adapter().may_sign_up(context.request, {email}):
            invited = get_adapter().invited_address(context.request)
            raise forms.ValidationError(f"You were invited as {invited}. Sign up with that address.")
        return email
