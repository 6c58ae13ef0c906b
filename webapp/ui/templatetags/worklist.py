"""What stands in the worklist's table, in words."""

from django import template

from webapp.worklist.filters import FLAGS

register = template.Library()


@register.filter
def flag_name(flag: str) -> str:
    """What a flag's letters mean."""
    return str(FLAGS.get(flag, flag))
