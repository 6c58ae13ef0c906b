"""What is said to the people of a lab: in its language, with times in its zone."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone, translation

from webapp.labs.models import Lab


@contextmanager
def locale_of(lab: Lab) -> Iterator[None]:
    with translation.override(lab.spoken), timezone.override(lab.zone):
        yield
