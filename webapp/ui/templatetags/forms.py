"""`{% csrf_token %}` for all templates (a builtin in the settings): it says, too, of which lab the form is.

No form that posts can do without it, so none can forget its lab.
"""

from django import template
from django.template import Context
from django.template.base import Parser, Token
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from webapp.labs.conflicts import FIELD

register = template.Library()


class FormNode(CsrfTokenNode):
    def render(self, context: Context) -> SafeString:
        lab = getattr(context.get("request"), "lab_worked_in", None)
        # untranslated: no words
        said = format_html('<input type="hidden" name="{}" value="{}">', FIELD, lab.id) if lab else ""
        return mark_safe(super().render(context) + said)  # noqa: S308 - both are escaped


@register.tag
def csrf_token(_parser: Parser, _token: Token) -> FormNode:
    return FormNode()
