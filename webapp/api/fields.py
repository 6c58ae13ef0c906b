"""Fields of what people write, for the serializers of all domains."""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from webapp.writing.fields import seen
from webapp.writing.text import one_line

LARGEST_ID = 2**63 - 1
"""Of a number that the database gives to a row."""


class WrittenField(serializers.CharField):
    """What people write: normalised by `normalise`, and invalid by `check` where something hides in it."""

    def __init__(
        self,
        *,
        normalise: Callable[[str], str] = one_line,
        check: Callable[[str], None] = seen,
        **options: Any,
    ) -> None:
        self.normalise = normalise
        super().__init__(validators=[check], **options)

    def to_internal_value(self, data: Any) -> str:
        given = self.normalise(super().to_internal_value(data))
        if not (given or self.allow_blank):
            self.fail("blank")
        return given
