"""Settling where a case's readings differ, and judging the case by what is settled."""

from collections.abc import Mapping

from django.db import transaction

from webapp.accounts.models import User
from webapp.results.flagging import judge_anew
from webapp.review import settlement
from webapp.review.models import Agreement, Disagreement


@transaction.atomic
def settle(
    agreement: Agreement,
    wanted: Mapping[int, str] | str,
    *,
    by: User,
    together_with: User | None = None,
) -> list[Disagreement]:
    """Settle cells, each on a class, or all that is open in favour of a reading.

    Args:
        wanted: class codes by cell; or `first` or `second`.

    Raises:
        As `webapp.review.settlement`.
    """
    if isinstance(wanted, str):
        settled = settlement.settle_all(agreement, wanted, by=by, together_with=together_with)
    else:
        settled = settlement.settle(agreement, wanted, by=by, together_with=together_with)
    judge_anew([agreement.case])
    return settled
