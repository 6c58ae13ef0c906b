"""A day and a time of the lab's clock, as forms take it: twice a year it is put forward or back."""

import re
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from webapp.language.clock import both, is_never, is_twice

_SHOWN = "%Y-%m-%dT%H:%M"
_OFFSET = re.compile(r"[+-][0-9]{2}:[0-9]{2}$")


def _offset(at: datetime) -> str:
    return at.isoformat()[-6:]


class HiddenMoment(forms.HiddenInput):
    """What was shown of a time, to the minute."""

    def format_value(self, value: Any) -> Any:
        if isinstance(value, datetime):
            at = value if value.tzinfo else value.replace(tzinfo=timezone.get_current_timezone())
            return at.isoformat(timespec="minutes")
        return super().format_value(value)


class Moment(forms.DateTimeInput):
    """A day and a time, to the minute; where the clock shows it twice, which of the two."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format=_SHOWN)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        at, offset = data.get(name), data.get(f"{name}_offset", "")
        naive = _naive(at)
        if naive and is_twice(naive) and offset in map(_offset, both(naive)):
            return f"{at}{offset}"
        return at

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        # A text is what was typed; a time is what is known.
        chosen, at = "", value
        if isinstance(value, str):
            if found := _OFFSET.search(value):
                chosen = found[0]
            value = _OFFSET.sub("", value)
            at = _naive(value)
        elif at is not None and is_twice(at):
            chosen = _offset(both(at)[at.fold])
        shown = super().render(name, value, attrs, renderer)
        if at is None or not is_twice(at):
            return shown
        options = [
            ("", _("which of the two?")),
            *((_offset(one), one.strftime("%H:%M %Z")) for one in both(at)),
        ]
        return format_html(
            # untranslated: markup
            '{} <select name="{}_offset" aria-label="{}">{}</select>',
            shown,
            name,
            _("The clock showed this time twice: which of the two?"),
            format_html_join(
                "",
                # untranslated: markup
                '<option value="{}"{}>{}</option>',
                ((key, SafeString(" selected") if key == chosen else "", said) for key, said in options),
            ),
        )


class MomentField(forms.DateTimeField):
    """A time of the lab's clock, to the minute; seconds that came another way stay unless it is changed."""

    widget = Moment
    hidden_widget = HiddenMoment

    def to_python(self, value: Any) -> datetime | None:
        naive = _naive(value)
        if naive and is_never(naive):
            raise ValidationError(_("The clock passed over this time: it was put forward that night."))
        if naive and is_twice(naive):
            raise ValidationError(
                _("The clock was put back and showed this time twice that night. Say which of the two it is.")
            )
        return super().to_python(value)


def _naive(text: Any) -> datetime | None:
    """A time without a zone, as browsers send it; None where it is none."""
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return None if at.tzinfo else at
