"""A form's field as people go on with it."""

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def focused_if_wrong(field: BoundField) -> SafeString:
    """The field, with what it was shown with where its form keeps that; one that must be mended has the focus
    when the page opens, wherever on it it stands."""
    shown = field.as_widget(attrs={"autofocus": True} if field.errors else {})
    return shown + field.as_hidden(only_initial=True) if field.field.show_hidden_initial else shown
