"""Points in time in the language and the zone of the reader; a built-in library of all templates."""

import re
from datetime import datetime

from django import template
from django.utils.formats import date_format, get_format

register = template.Library()


@register.filter(expects_localtime=True)
def moment(at: datetime | None, exact: str = "") -> str:
    """Day, time and zone; with "seconds" to the second.

    Django's formats of most languages have neither zone nor seconds, and no names for formats that do.
    """
    if not at:
        return ""
    pattern = str(get_format("DATETIME_FORMAT"))
    if exact == "seconds":
        pattern = re.sub(r"(?<=[GHgh])([:.])i", r"\1i\1s", pattern)
    if "T" not in pattern:
        pattern += " T"
    if name := at.tzname():  # Django leaves it out where the clock shows the time twice, and it says which
        pattern = re.sub(r"(?<!\\)T", lambda _found: "".join(rf"\{letter}" for letter in name), pattern)
    return date_format(at, pattern)
