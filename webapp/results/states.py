"""How results and cases stand, by what people did: signatures and steps say it, the columns repeat it."""

from collections.abc import Sequence

from webapp.cases.models import Case, Review
from webapp.results.models import Result, Step

Status = Result.Status

OF_CASE = {
    Status.AWAITING: Review.REVIEWED,
    Status.FINAL: Review.SIGNED,
    Status.AMENDING: Review.IN_REVIEW,
    Status.VOID: Review.VOID,
}
"""What a case is by its last result."""


def statuses(results: Sequence[Result]) -> dict[Result, Status]:
    """How each of a case's results stands.

    Args:
        results: all of them by version, with `signatures` and `steps` fetched.
    """
    steps = {result: sorted(result.steps.all(), key=lambda step: step.at) for result in results}
    is_void = any(step.kind == Step.Kind.VOID for of_one in steps.values() for step in of_one)
    found = {}
    for result in results:
        amending = bool(steps[result]) and steps[result][-1].kind == Step.Kind.AMEND
        if is_void:
            found[result] = Status.VOID
        elif result is not results[-1]:
            found[result] = Status.AMENDED
        elif amending:
            found[result] = Status.AMENDING
        else:
            whole = len(result.signatures.all()) >= result.needed
            found[result] = Status.FINAL if whole else Status.AWAITING
    return found


def review_of(results: Sequence[Result], found: dict[Result, Status]) -> Review:
    """What a case is, of which these are all results."""
    last = results[-1]
    review = OF_CASE[found[last]]
    return Review.AMENDED if review == Review.SIGNED and last.version > 1 else review


def settle(case: Case) -> None:
    """Write how the case and its results stand. The case is held."""
    results = list(
        Result.objects.filter(case=case).order_by("version").prefetch_related("signatures", "steps")
    )
    found = statuses(results)
    for result, status in found.items():
        if result.status != status:
            Result.objects.filter(id=result.id).update(status=status)
    case.review = review_of(results, found)
    Case.objects.filter(id=case.id).update(review=case.review)
