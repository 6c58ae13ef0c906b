"""Columns for sentences that are said later."""

from typing import Any

from django.db import models

from serving.contract.sentence import Sentence, load, store


class SentenceField(models.JSONField):
    """A sentence, or None. It is said by `webapp.language.sentences.say`, in the language of who reads it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"null": True, "editable": False})

    def deconstruct(self) -> Any:
        """To the database it is a column like any other."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sentence | None:
        found = super().from_db_value(value, expression, connection)
        return None if found is None else load(found)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None:  # of bulk_update, too, where Django would write JSON's null
            return None
        plain = store(value) if isinstance(value, Sentence) else value
        return super().get_db_prep_value(plain, connection, prepared)
