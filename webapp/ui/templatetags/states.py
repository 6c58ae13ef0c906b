"""How the state of a case looks."""

from django import template

from webapp.cases.selectors import CaseState

register = template.Library()

CLASSES = {
    CaseState.EMPTY: "state",
    CaseState.IN_PROGRESS: "state state-busy",
    CaseState.NEEDS_ATTENTION: "state state-bad",
    CaseState.DONE: "state state-good",
}


@register.filter
def state_class(state: CaseState) -> str:
    """Its class in the style sheet."""
    return CLASSES[state]
