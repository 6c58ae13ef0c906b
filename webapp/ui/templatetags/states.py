"""How the state of a case looks."""

from django import template

from webapp.cases.models import Processing

register = template.Library()

# untranslated: classes of the style sheet
CLASSES = {
    Processing.RECEIVING: "state",
    Processing.CLASSIFYING: "state state-busy",
    Processing.NEEDS_ATTENTION: "state state-bad",
    Processing.DONE: "state state-good",
}


@register.filter
def state_class(state: Processing) -> str:
    """Its class in the style sheet."""
    return CLASSES[state]
