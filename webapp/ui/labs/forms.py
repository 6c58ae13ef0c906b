from functools import cache
from itertools import groupby
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from webapp.cases.models import Priority
from webapp.cases.specimens import Scanner
from webapp.hematology.classes import ALWAYS, BY_CODE, REPORT_ORDER
from webapp.labs.models import LONGEST_CRITICAL_CALL, LONGEST_TURNAROUND, Lab, Membership
from webapp.labs.permissions import IN_USE, Permission, Role, adjustable, allows, granted
from webapp.labs.tokens import network
from webapp.writing.fields import Line

REGIONS = {
    "Africa": _("Africa"),
    "America": _("America"),
    "Antarctica": _("Antarctica"),
    "Arctic": _("Arctic"),
    "Asia": _("Asia"),
    "Atlantic": _("Atlantic"),
    "Australia": _("Australia"),
    "Europe": _("Europe"),
    "Indian": _("Indian"),
    "Pacific": _("Pacific"),
}  # of the IANA database; its other names are of countries and offsets, kept for old systems

MOST_PLACES = 99
TURNAROUNDS = {
    "stat": Priority.STAT.label,
    "urgent": Priority.URGENT.label,
    "routine": Priority.ROUTINE.label,
}


@cache  # the database is a thousand files
def zones() -> list[tuple[Any, Any]]:
    """The time zones of the world as a menu, by region."""
    named = sorted(name for name in available_timezones() if name.partition("/")[0] in REGIONS)
    regions = groupby(named, lambda name: name.partition("/")[0])
    return [
        ("", "UTC"),
        *(
            (REGIONS[region], [(name, name.partition("/")[2].replace("_", " ")) for name in names])
            for region, names in regions
        ),
    ]


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


class InvitationForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail"),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Give the e-mail address of the person to invite.")},
    )
    role = forms.ChoiceField(choices=Role.choices)


class LabForm(forms.ModelForm):  # type: ignore[type-arg]
    language = forms.ChoiceField(label=_("Language"), choices=lambda: settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False, choices=zones)

    class Meta:
        model = Lab
        fields = ("language", "time_zone", "full_count")
        labels = {"full_count": _("Full count")}


class TurnaroundForm(forms.Form):
    """In how many hours results are due; empty: at no time."""

    def __init__(self, lab: Lab, data: QueryDict | None = None) -> None:
        initial = {name: getattr(lab, f"turnaround_{name}") for name in TURNAROUNDS}
        super().__init__(data, label_suffix="", initial=initial)
        for name, label in TURNAROUNDS.items():
            self.fields[name] = forms.IntegerField(
                label=label, min_value=1, max_value=LONGEST_TURNAROUND, required=False
            )


class CriticalCallForm(forms.Form):
    """In how many minutes somebody is to be told of a critical result."""

    minutes = forms.IntegerField(
        label=_("Minutes to tell somebody of a critical result"),
        required=False,
        min_value=1,
        max_value=LONGEST_CRITICAL_CALL,
    )


class ClassesForm(forms.Form):
    """Which classes a lab's people use, and in which order: a box and a place for each."""

    used = forms.MultipleChoiceField(choices=[(code, "") for code in REPORT_ORDER], required=False)

    def __init__(self, lab: Lab, data: QueryDict | None = None) -> None:
        super().__init__(data, label_suffix="")
        current = [one.code for one in lab.cell_classes]
        self.codes = [*current, *(code for code in REPORT_ORDER if code not in current)]
        given = set(data.getlist("used")) if data is not None else set(current)
        self.ticked = given | ALWAYS
        for place, code in enumerate(self.codes, 1):
            self.fields[self._place(code)] = forms.IntegerField(
                label=gettext("Place of %(class)s") % {"class": gettext(BY_CODE[code].name)},
                initial=place,
                min_value=1,
                max_value=MOST_PLACES,
                required=False,
            )

    @staticmethod
    def _place(code: str) -> str:
        return f"place_{code}"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Each class with its field, in the order of now."""
        return [
            {
                "cell_class": BY_CODE[code],
                "used": code in self.ticked,
                "always": code in ALWAYS,
                "place": self[self._place(code)],
            }
            for code in self.codes
        ]

    @property
    def wanted(self) -> list[str]:
        """The classes that were ticked, by the places given; where two have the same, as they were before."""
        places = {code: self.cleaned_data[self._place(code)] or MOST_PLACES for code in self.codes}
        return sorted((code for code in self.codes if code in self.ticked), key=lambda code: places[code])


class ScannerForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Scanner
        fields = ("make", "model", "micrometres_per_pixel")
        labels = {
            "make": pgettext_lazy("of a scanner", "Make"),
            "model": pgettext_lazy("of a scanner", "Model"),
            "micrometres_per_pixel": _("µm per pixel"),
        }
        error_messages = {"make": {"required": _("Say who makes it.")}}


class RoleTableForm(forms.Form):
    """The lab's table: a box for whatever it may change, `role:permission`, and which roles need a second
    factor."""

    second_factor = forms.MultipleChoiceField(choices=Role.choices, required=False)
    given = forms.MultipleChoiceField(
        choices=[
            (f"{role.value}:{permission.value}", "")
            for role in Role
            for permission in IN_USE
            if permission in adjustable(role)
        ],
        required=False,
    )

    @property
    def wanted(self) -> dict[Role, set[Permission]]:
        """What each role is to do: the boxes that were ticked, beside what no lab can change."""
        boxes = set(self.cleaned_data["given"])
        return {
            role: {
                permission
                for permission in IN_USE
                if (
                    f"{role.value}:{permission.value}" in boxes
                    if permission in adjustable(role)
                    else allows(role, permission)
                )
            }
            for role in Role
        }


class TokenForm(forms.Form):
    name = Line(
        max_length=100,
        label=_("What it is for"),
        error_messages={"required": _("Say which program it is for; you will find it by that.")},
    )
    networks = forms.CharField(
        label=_("Only from these networks"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "placeholder": "192.0.2.0/24"}),
    )

    def __init__(self, membership: Membership, data: QueryDict | None = None) -> None:
        super().__init__(data, label_suffix="")
        longest = settings.TOKEN_DAYS
        self.fields["days"] = forms.TypedChoiceField(
            label=_("Expires"),
            coerce=int,
            initial=min(90, longest),
            choices=[
                (n, ngettext("in %(n)s day", "in %(n)s days", n) % {"n": n})
                for n in sorted({1, 7, 30, 90, longest})
                if n <= longest
            ],
        )
        may = granted(Role(membership.role), membership.lab.permission_changes)
        self.fields["scopes"] = forms.MultipleChoiceField(
            label=_("It may"),
            widget=forms.CheckboxSelectMultiple,
            choices=[(permission.value, permission.label) for permission in IN_USE if permission in may],
            error_messages={"required": _("Let it do something; else it is of no use.")},
        )

    def clean_networks(self) -> list[str]:
        try:
            return [network(part) for part in self.cleaned_data["networks"].replace(",", " ").split()]
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
