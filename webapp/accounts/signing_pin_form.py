from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webapp.accounts.signing_pins import LENGTHS, InvalidPin, check_form


class SigningPinForm(forms.Form):
    """A new signing PIN, typed twice."""

    pin = forms.CharField(
        label=gettext_lazy("New PIN, 6 to 12 digits"),
        max_length=LENGTHS[1],
        widget=forms.PasswordInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    again = forms.CharField(
        label=gettext_lazy("The same again"),
        max_length=LENGTHS[1],
        widget=forms.PasswordInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def clean_pin(self) -> str:
        pin: str = self.cleaned_data["pin"]
        try:
            check_form(pin)
        except InvalidPin as error:
            raise ValidationError(str(error)) from error
        return pin

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if again != self.cleaned_data.get("pin", again):
            raise ValidationError(_("The two differ."))
        return again
