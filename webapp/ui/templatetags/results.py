"""Flags and values of results."""

from decimal import Decimal

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from webapp.hematology.flags import Flag

register = template.Library()

NAMES = {
    Flag.LOW: _("Low"),
    Flag.HIGH: _("High"),
    Flag.CRITICAL_LOW: _("Critically low"),
    Flag.CRITICAL_HIGH: _("Critically high"),
    Flag.ABNORMAL: _("Abnormal in any number, or above the limit"),
}


@register.filter
def flag_name(flag: str) -> str:
    return str(NAMES[Flag(flag)])


@register.filter
def places(value: Decimal, n: int) -> str:
    """With so many decimals, in the reader's language."""
    return str(number_format(value, n, force_grouping=True))
