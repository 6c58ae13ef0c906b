"""What is known of a patient, in words."""

from datetime import date

from django import template
from django.utils.formats import date_format

from webapp.patients.identifiers import Sex

register = template.Library()


@register.filter
def identifier(value: str | date | None, name: str) -> str:
    """One of those that lists show, by its name."""
    if isinstance(value, date):
        return date_format(value, "DATE_FORMAT")
    return sex(value) if value and name == "sex" else value or "–"


@register.filter
def sex(value: str) -> str:
    return str(Sex(value).label)
