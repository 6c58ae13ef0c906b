"""Classes of cells as people call them, and the way to their cells."""

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from webapp.inference import selectors

register = template.Library()
register.filter("class_name", selectors.class_name)
register.filter("class_short", selectors.class_short)


@register.simple_tag(takes_context=True)
def class_link(context: Context, code: str) -> SafeString:
    """The attributes of a link to a class's cells in the context's case, to all where the code is "".

    They replace the case's part of the page, so that an upload goes on.
    """
    page = reverse("ui:case", args=[context["case"].id]) + (f"?class={code}" if code else "")
    # untranslated: attributes
    return format_html(
        'href="{}" hx-get="{}" hx-target="#case" hx-select="#case" '
        'hx-swap="outerMorph show:top showTarget:#cells" hx-replace-url="true"',
        page,
        page,
    )
