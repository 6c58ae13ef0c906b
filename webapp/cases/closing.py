"""When a case's review is over, what was signed stays as it is: whoever would change it asks here first."""

from uuid import UUID

from django.utils.translation import gettext as _

from webapp.cases.models import UNDER_WAY, Case


class ReviewOver(Exception):
    """The case is signed, half signed, or void. Nothing was changed."""

    def __str__(self) -> str:
        return _(
            "The review of this case is over: it is signed or void. Nothing was changed. Amend its result to "
            "open it again."
        )


def check_under_way(case_id: UUID) -> None:
    """Raise ReviewOver unless people may still decide on the case.

    Call it under the case's `processing.lock` or while it is held: who signs takes both.
    """
    if not Case.objects.filter(id=case_id, review__in=UNDER_WAY).exists():
        raise ReviewOver
