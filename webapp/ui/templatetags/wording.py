from typing import Any

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString, mark_safe

from webapp.accounts.wording import house_style

register = template.Library()


@register.filter(name="house_style", is_safe=True)
def styled(text: Any) -> SafeString:
    """For `{% filter %}` around what a template has rendered, and so escaped, already."""
    return mark_safe(house_style(str(text).strip()))  # noqa: S308 - escaped by the template that rendered it


@register.filter
def control(field: BoundField) -> SafeString:
    """The field's control without the placeholder, which says again what the label says."""
    return field.as_widget(attrs={"placeholder": False})


@register.filter
def listed(value: object) -> object:
    """Several things in one line, parted by commas; one thing as it is."""
    return ", ".join(map(str, value)) if isinstance(value, list) else value
