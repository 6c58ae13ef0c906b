"""The way to the readings of a case."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from webapp.accounts.models import User
from webapp.cases.models import Case
from webapp.review import selectors
from webapp.review.models import Reading


def reading_links(case: Case, viewer: User, **which: Any) -> list[dict[str, Any]]:
    """The readings of the case that one may see, those asked for, each with its name and its page."""
    page = reverse("ui:review", args=[case.id])
    return [
        {"id": reading.pk, "name": _name(reading, viewer), "address": f"{page}?reading={reading.pk}"}
        for reading in selectors.reviews(case, viewer).filter(**which)
    ]


def _name(reading: Reading, viewer: User) -> str:
    if reading.kind == Reading.Kind.FIRST:
        return _("First reading")
    if reading.reader == viewer:
        return _("Your second reading, blinded") if reading.blinded else _("Your second reading")
    return _("Second reading by %(person)s") % {"person": reading.reader}
