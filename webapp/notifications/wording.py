"""What notifications say, in words."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import ngettext

UNUSABLE = ("refused", "failed")


def counts(facts: Mapping[str, Any], names: Iterable[str]) -> str:
    """How many images became what, in one line."""
    return ", ".join(_count(name, facts[name]) for name in names if facts.get(name))


def cases(n: int) -> str:
    """How many cases."""
    return ngettext("%(count)s case", "%(count)s cases", n) % {"count": intcomma(n)}


def _count(name: str, n: int) -> str:
    said = {
        "classified": ngettext("%(count)s classified", "%(count)s classified", n),
        "refused": ngettext("%(count)s refused", "%(count)s refused", n),
        "failed": ngettext("%(count)s failed", "%(count)s failed", n),
    }
    return said[name] % {"count": intcomma(n)}
