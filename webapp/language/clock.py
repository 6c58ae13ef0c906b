"""Times that the reader's clock shows twice, for it is put back, and those that it passes over."""

from datetime import datetime, timedelta

from django.utils import timezone


def both(at: datetime) -> tuple[datetime, datetime]:
    """What a time of the reader's clock means before and after it was put back; the same, nearly always."""
    zone = timezone.get_current_timezone()
    first, second = (at.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    return first, second


def is_twice(at: datetime) -> bool:
    """Whether the reader's clock shows it twice."""
    first, second = both(at)
    return (first.utcoffset() or timedelta()) > (second.utcoffset() or timedelta())


def is_never(at: datetime) -> bool:
    """Whether the reader's clock passes over it."""
    first, second = both(at)
    return (first.utcoffset() or timedelta()) < (second.utcoffset() or timedelta())
