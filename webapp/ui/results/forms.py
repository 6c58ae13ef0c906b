from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from webapp.labs.models import Lab
from webapp.results.amending import REASON_LENGTH
from webapp.results.signing import REASON_LENGTH as SHORTFALL_LENGTH
from webapp.writing.fields import Lines


class ReasonForm(forms.Form):
    """Why something is done to a result."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    reason = Lines(
        max_length=REASON_LENGTH,
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why.")},
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, label_suffix="")


class ShortfallForm(forms.Form):
    """Why a case is signed although something is missing."""

    reason = Lines(
        required=False,
        max_length=SHORTFALL_LENGTH,
        label=_("Why it is signed all the same"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, label_suffix="")


class SignForm(ShortfallForm):
    """What was shown, and what shows who is there."""

    revision = forms.IntegerField(min_value=0, max_value=2**31 - 1)
    sha256 = forms.RegexField("^[0-9a-f]{64}$")
    meaning = forms.CharField(max_length=16)
    method = forms.CharField(max_length=16)
    proof = forms.CharField(required=False, max_length=20_000, strip=False)
    parts = forms.JSONField(required=False)


class SignaturesForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = Lab
        fields = ("signatures",)
        labels = {"signatures": _("Signatures of a result")}
