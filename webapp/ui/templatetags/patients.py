"""What is known of a patient, in words."""

from django import template

from webapp.patients.identifiers import Sex

register = template.Library()


@register.filter
def sex(value: str) -> str:
    return str(Sex(value).label)
