"""Of what class a cell is: the one answer, for pages, counts, filters and the API.

It is what a reading decided; else what the model suggests, unless it is unsure; else Unidentified.
"""

from typing import Any

from django.db.models import Case as Switch
from django.db.models import CharField, F, FilteredRelation, IntegerField, Q, Value, When
from django.db.models.functions import Coalesce, NullIf

from webapp.hematology.classes import UNIDENTIFIED
from webapp.review.models import Reading


def shown_class(reading: Reading | None) -> dict[str, Any]:
    """What a query set of current predictions, one for each cell, is annotated with.

    `decided_class` is what the reading last decided of the cell, None where it did not or took it back;
    `shown_class` is the class under which people see it.
    """
    text = CharField()
    suggested = Switch(
        When(flagged=True, then=Value(UNIDENTIFIED)), default=F("cell_class"), output_field=text
    )
    if reading is None or reading.revision == 0:
        return {
            "decided_class": Value(None, output_field=text),
            "shown_class": suggested,
        }
    return {
        "state": FilteredRelation("cell__states", condition=Q(cell__states__reading=reading.pk)),
        "decided_class": NullIf(F("state__cell_class"), Value(""), output_field=text),
        "shown_class": Coalesce(F("decided_class"), suggested),
    }


def last_decision(reading: Reading) -> dict[str, Any]:
    """What a query set with `shown_class` is annotated with besides: by whom a cell was decided, or taken
    back, and the number of that decision."""
    if reading.revision == 0:
        nothing = Value(None, output_field=IntegerField())
        return {"decided_by": nothing, "decided_number": nothing}
    return {"decided_by": F("state__by"), "decided_number": F("state__number")}
