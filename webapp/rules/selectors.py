"""A lab's rules; the lab is the scope."""

from collections.abc import Iterable

from django.db.models import QuerySet

from webapp.rules.catalogue import CATALOGUE, Shipped
from webapp.rules.evaluation import Facts, hold
from webapp.rules.models import Rule


def current() -> QuerySet[Rule]:
    """The last version of each that was not removed."""
    return Rule.objects.filter(ended_at=None).select_related("accepted_by", "made_by")


def accepted() -> list[Rule]:
    """Those that count."""
    return list(current().exclude(accepted_at=None))


def fired(rules: Iterable[Rule], facts: Facts) -> list[Rule]:
    """Those of `rules` whose conditions hold."""
    return [rule for rule in rules if hold(rule.conditions, facts)]


def versions(rule: Rule) -> QuerySet[Rule]:
    """All of a rule, the last first."""
    return Rule.objects.filter(key=rule.key).select_related("accepted_by", "made_by").order_by("-version")


def not_taken() -> list[Shipped]:
    """Those that come with the product and that the lab does not have."""
    taken = set(current().exclude(shipped="").values_list("shipped", flat=True))
    return [one for one in CATALOGUE if one.code not in taken]
