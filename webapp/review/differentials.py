"""The two differentials of a case in a reading, for pages, API and whatever else counts cells."""

from dataclasses import dataclass

from webapp.hematology.classes import UNIDENTIFIED
from webapp.hematology.differential import Differential, differential
from webapp.labs.models import Lab
from webapp.review.selectors import Counts


@dataclass(frozen=True)
class Differentials:
    """Never mixed.

    Attributes:
        suggested: of the cells that nobody decided, by what is suggested of them; it has a row for what a
            model may suggest.
        reviewed: of the cells that were decided; it has a row for each class that the lab uses.
        undecided: how many cells nobody decided, the unidentified among them.
    """

    suggested: Differential
    reviewed: Differential
    undecided: int
    unidentified: int
    not_classed: int
    full_count: int


def differentials(counts: Counts, lab: Lab) -> Differentials:
    suggestable = [one for one in lab.cell_classes if one.suggested]
    reviewed = differential(counts.reviewed, lab.full_count, lab.cell_classes)
    return Differentials(
        suggested=differential(counts.suggested, lab.full_count, suggestable),
        reviewed=reviewed,
        undecided=sum(counts.suggested.values()),
        unidentified=counts.suggested.get(UNIDENTIFIED, 0),
        not_classed=reviewed.not_classed,
        full_count=lab.full_count,
    )
