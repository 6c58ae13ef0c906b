"""From which change on a lab wants values marked: proposed by one, approved by one who may, on record."""

from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp.accounts.models import User
from webapp.audit.actions import Action
from webapp.audit.services import record
from webapp.hematology.classes import BY_CODE
from webapp.labs.models import Lab
from webapp.ranges.models import Quantity
from webapp.results.models import DeltaLimit

LONGEST = 3650  # days


class LimitFails(Exception):
    """Nothing was done; the message says why."""

    code = "limit_not_changed"


class CountsAlready(LimitFails):
    """There is one for the same class and quantity that counts."""

    code = "counts_already"


class NoSuchQuantity(LimitFails):
    """The class is not given in this quantity."""

    code = "no_such_quantity"


def quantities(cell_class: str) -> tuple[Quantity, ...]:
    """In what a class is given; a mere number has no limits, for it depends on how much was looked at."""
    one = BY_CODE[cell_class]
    if one.unit is None:
        return ()
    return (Quantity.PERCENT, Quantity.ABSOLUTE) if one.in_wbc else (Quantity.PER_100,)


def of_lab(lab: Lab) -> "QuerySet[DeltaLimit]":
    """All of the lab's limits, those that counted once, too."""
    people = ("proposed_by", "approved_by", "retired_by")
    return DeltaLimit.objects.filter(lab=lab).select_related(*people).order_by("-proposed_at", "-id")


def that_count(lab_id: UUID) -> list[DeltaLimit]:
    return list(DeltaLimit.objects.filter(lab=lab_id, approved_at__isnull=False, retired_at=None))


@transaction.atomic
def propose(
    lab: Lab,
    *,
    by: User,
    cell_class: str,
    quantity: str,
    change: Decimal,
    is_relative: bool,
    days: int,
) -> DeltaLimit:
    """Enter a limit, which counts for nothing yet.

    Raises:
        NoSuchQuantity: the class is not given in it.
    """
    if quantity not in quantities(cell_class):
        raise NoSuchQuantity(_("This class is not given in this quantity."))
    limit = DeltaLimit.objects.create(
        lab=lab,
        cell_class=cell_class,
        quantity=quantity,
        change=change,
        is_relative=is_relative,
        days=days,
        proposed_by=by,
    )
    _record(Action.DELTA_LIMIT_PROPOSED, limit)
    return limit


@transaction.atomic
def approve(limit: DeltaLimit, *, by: User) -> None:
    """Let a limit count from now on.

    Raises:
        CountsAlready: another one does; retire it first.
        LimitFails: this one was approved or taken back already.
    """
    now = timezone.now()
    try:
        with transaction.atomic():
            done = DeltaLimit.objects.filter(id=limit.pk, approved_at=None, retired_at=None).update(
                approved_by=by, approved_at=now
            )
    except IntegrityError as error:
        text = _("A limit for this class and quantity counts already. Retire it first.")
        raise CountsAlready(text) from error
    if not done:
        raise LimitFails(_("This limit was approved or retired already."))
    _record(Action.DELTA_LIMIT_APPROVED, limit)


@transaction.atomic
def retire(limit: DeltaLimit, *, by: User) -> None:
    """End a limit, or take back one that was only proposed.

    Raises:
        LimitFails: somebody did.
    """
    rows = DeltaLimit.objects.filter(id=limit.pk, retired_at=None)
    if not rows.update(retired_by=by, retired_at=timezone.now()):
        raise LimitFails(_("This limit was retired already."))
    _record(Action.DELTA_LIMIT_RETIRED, limit)


def _record(action: Action, limit: DeltaLimit) -> None:
    # In figures and codes: an entry is never changed, whatever language the lab reads later.
    unit = "%" if limit.is_relative else limit.quantity
    said = f"{limit.cell_class} {limit.quantity} {limit.change.normalize():f} {unit} {limit.days} d"
    after = {
        "limit": said,
        "cell_class": limit.cell_class,
        "quantity": limit.quantity,
        "change": format(limit.change, "f"),
        "is_relative": limit.is_relative,
        "days": limit.days,
    }
    record(action, lab=limit.lab_id, subject=limit.cell_class, subject_id=f"limit {limit.pk}", after=after)
