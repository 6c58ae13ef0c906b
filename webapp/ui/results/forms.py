from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from webapp.hematology.classes import BY_CODE, REPORT_ORDER
from webapp.inference.selectors import class_name
from webapp.labs.models import Lab
from webapp.ranges.models import Quantity
from webapp.results import delta_limits
from webapp.results.amending import REASON_LENGTH
from webapp.results.calls import CONTACT_LENGTH, WHOM_LENGTH
from webapp.results.models import CallEntry
from webapp.results.signing import REASON_LENGTH as SHORTFALL_LENGTH
from webapp.writing.fields import Line, Lines


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

    def clean_parts(self) -> dict[str, str]:
        """By part what its digest was; what is none of this helps nobody to see what changed."""
        given = self.cleaned_data["parts"]
        return {name: str(one) for name, one in given.items()} if isinstance(given, dict) else {}


class SignaturesForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = Lab
        fields = ("signatures",)
        labels = {"signatures": _("Signatures of a result")}


class CallForm(forms.Form):
    """What came of a call."""

    whom = Line(
        max_length=WHOM_LENGTH,
        label=_("Who was called"),
        error_messages={"required": _("Say whom you told, or tried to reach.")},
    )
    contact = Line(required=False, max_length=CONTACT_LENGTH, label=_("Role, or number called"))
    at = forms.DateTimeField(
        label=pgettext_lazy("of a call", "When"),
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
    )
    outcome = forms.ChoiceField(
        label=_("What came of it"),
        choices=CallEntry.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say what came of the call.")},
    )

    def __init__(self, data: Any = None) -> None:
        now = timezone.localtime()
        super().__init__(data, label_suffix="", initial={"at": now})
        for name in ("whom", "contact"):
            self.fields[name].widget.attrs["autocomplete"] = "off"


class DeltaLimitForm(forms.Form):
    """From which change on a value is to be marked."""

    cell_class = forms.ChoiceField(label=_("Class"))
    quantity = forms.ChoiceField(label=_("Quantity"), choices=Quantity.choices)
    change = forms.DecimalField(label=_("Change of at least"), max_digits=7, decimal_places=3, min_value=0)
    is_relative = forms.TypedChoiceField(
        label=pgettext_lazy("of a change", "In"),
        choices=[("no", _("the quantity's own unit")), ("yes", _("per cent of the value before"))],
        coerce=lambda given: given == "yes",
    )
    days = forms.IntegerField(label=_("Within days"), min_value=1, max_value=delta_limits.LONGEST)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, label_suffix="")
        codes = [code for code in REPORT_ORDER if delta_limits.quantities(code) and BY_CODE[code].counted]
        self.fields["cell_class"].choices = [(code, class_name(code)) for code in codes]  # type: ignore[attr-defined]
        self.fields["change"].widget.attrs["step"] = "any"

    def clean_change(self) -> Any:
        change = self.cleaned_data["change"]
        if not change:
            raise forms.ValidationError(_("Give a change of more than 0."))
        return change
