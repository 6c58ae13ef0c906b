from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from webapp.audit.chain import COLUMNS
from webapp.audit.models import Entry

BATCH = 5000


def in_order(entries: QuerySet[Entry]) -> Iterator[dict[str, Any]]:
    """The columns of one chain's entries, oldest first, read a batch at a time: neither memory nor a
    transaction grows with the chain."""
    rows = entries.order_by("seq").values(*COLUMNS, "hash")
    last = -1
    while batch := list(rows.filter(seq__gt=last)[:BATCH]):
        yield from batch
        last = batch[-1]["seq"]
