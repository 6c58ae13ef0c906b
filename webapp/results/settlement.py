"""Settling where a case's readings differ, and judging the case by what is settled."""

from collections.abc import Mapping

from django.db import transaction

from webapp.accounts.models import User
from webapp.results.flagging import judge_anew
from webapp.review import settlement
from webapp.review.models import Agreement, Disagreement


@transaction.atomic
def settle(agreement: Agreement, classes: Mapping[int, str], *, by: User, side: str) -> list[Disagreement]:
    """Settle cells as a third person; see `webapp.review.settlement.settle`."""
    settled = settlement.settle(agreement, classes, by=by, side=side)
    judge_anew([agreement.case])
    return settled


@transaction.atomic
def confirm(agreement: Agreement, seen: Mapping[int, str], *, by: User) -> list[Disagreement]:
    """Confirm what the other reader proposed; see `webapp.review.settlement.confirm`."""
    settled = settlement.confirm(agreement, seen, by=by)
    judge_anew([agreement.case])
    return settled
