"""Approved reference ranges, for tests that need some."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from webapp.accounts.models import User
from webapp.labs.models import Lab
from webapp.ranges.models import ReferenceRange


def approved(lab: Lab, by: User, *rows: dict[str, Any], at: datetime | None = None) -> list[ReferenceRange]:
    """Ranges that count, as they stand in the database.

    Args:
        rows: the fields of each that are not as by default; `cell_class`, and `low` or `high`, are needed.
    """
    at = at or timezone.now()
    values = {"quantity": "absolute", "source": "A book", "proposed_by": by, "approved_by": by}
    times = {"approved_at": at, "valid_from": at}
    return ReferenceRange.objects.bulk_create(
        [ReferenceRange(lab=lab, **values | times | row) for row in rows]
    )
