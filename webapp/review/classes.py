"""Of what class a cell is: the one answer, for pages, counts, filters and the API.

It is what a reading decided; else what the model suggests, unless it is unsure; else Unidentified.
"""

from typing import Any

from django.db.models import Case as Switch
from django.db.models import CharField, F, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce

from webapp.hematology.classes import UNIDENTIFIED
from webapp.review.models import Decision, Reading


def shown_class(reading: Reading | None) -> dict[str, Any]:
    """What a query set of current predictions, one for each cell, is annotated with.

    `decided_class` is what the reading last decided of the cell, None where it did not; `shown_class` is the
    class under which people see it.
    """
    text = CharField()
    suggested = Switch(
        When(flagged=True, then=Value(UNIDENTIFIED)), default=F("cell_class"), output_field=text
    )
    if reading is None or reading.revision == 0:
        return {"decided_class": Value(None, output_field=text), "shown_class": suggested}
    decisions = Decision._base_manager.filter(reading=reading, cell=OuterRef("cell")).order_by("-number")
    decided = Subquery(decisions.values("cell_class")[:1], output_field=text)
    return {"decided_class": decided, "shown_class": Coalesce(F("decided_class"), suggested)}
