"""Both differentials of a case in a reading, and what each of them means."""

from dataclasses import dataclass, replace

from webapp.cases.models import Case
from webapp.labs.models import Lab
from webapp.results.interpretation import Interpretation, basis_of, interpreted
from webapp.review.differentials import Differentials, differentials
from webapp.review.selectors import Counts


@dataclass(frozen=True)
class Sheets:
    """Never mixed, as the counts are not."""

    counted: Differentials
    reviewed: Interpretation
    suggested: Interpretation

    def shown(self, *, identifiers: bool) -> "Sheets":
        """To somebody who may see who the patient is, or not."""
        if identifiers:
            return self
        return replace(
            self, reviewed=self.reviewed.without_ranges(), suggested=self.suggested.without_ranges()
        )

    @property
    def standing(self) -> Interpretation:
        """What the case is known by: the reviewed one, once anything was decided."""
        is_reviewed = any(row.count for row in self.counted.reviewed.rows) or self.counted.not_classed
        return self.reviewed if is_reviewed else self.suggested


def sheets(case: Case, counts: Counts, lab: Lab) -> Sheets:
    counted, basis = differentials(counts, lab), basis_of(case)
    return Sheets(
        counted=counted,
        reviewed=interpreted(basis, counted.reviewed),
        suggested=interpreted(basis, counted.suggested),
    )
