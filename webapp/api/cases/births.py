"""What is answered where a specimen would be from before its patient's birth."""

from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework import exceptions

from webapp.cases.disclosure import text_shown
from webapp.cases.models import Case
from webapp.cases.services import CollectedBeforeBirth


@contextmanager
def before_birth(field: str, case: Case | None = None) -> Iterator[None]:
    """Answer that `field` is invalid; it tells of a birth date, so that it did is on record."""
    try:
        yield
    except CollectedBeforeBirth as error:
        if case:
            text_shown({case.id: case.accession})
        raise exceptions.ValidationError({field: [str(error)]}) from error
