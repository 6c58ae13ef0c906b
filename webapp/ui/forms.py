from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from webapp.accounts.throttles import may_try
from webapp.cases.models import Case


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "E-mail or password is wrong. Passwords are case-sensitive.",
        "inactive": "This account is closed. Ask an administrator of your lab.",
    }

    def clean(self) -> dict[str, Any]:
        if self.request is not None and not may_try(self.request):
            raise forms.ValidationError("Too many attempts to sign in. Wait a minute, then try again.")
        return super().clean()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["username"].label = "E-mail"
        self.fields["username"].widget = forms.EmailInput(
            attrs={"autocomplete": "username", "autofocus": True}
        )


class NewCaseForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = Case
        fields = ("accession",)
        error_messages = {"accession": {"required": "Give the specimen's accession number."}}
