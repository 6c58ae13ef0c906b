from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from webapp.accounts.models import User
from webapp.writing.fields import Line


class NameForm(forms.Form):
    """A person's name. Signing up asks for it beside allauth's own questions, however a person signs in."""

    name = Line(
        max_length=150,
        label=_("Name"),
        help_text=_("As it should stand under your decisions."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ("name", "email", "password1")

    def signup(self, request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
