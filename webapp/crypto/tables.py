"""Tables with sealed values, as rotation goes through them."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, Protocol

from django.apps import apps
from django.db import models

from webapp.crypto.cipher import Unreadable
from webapp.crypto.fields import EncryptedField, KeyedHashField


class KeyId(models.Func):
    """The id of the key that a sealed value is under; null where there is none to be read."""

    template = (
        "CASE WHEN length(%(expressions)s) > 2 THEN"
        " encode(substring(%(expressions)s FROM 3 FOR get_byte(%(expressions)s, 1)), 'escape') END"
    )
    output_field = models.TextField()


class Format(models.Func):
    """The format of a sealed value; null where there is none to be read."""

    template = "CASE WHEN length(%(expressions)s) > 0 THEN get_byte(%(expressions)s, 0) END"
    output_field = models.IntegerField()


class SealedTable(Protocol):
    """Where sealed values lie, and how a row's are sealed with the current key."""

    model: type[models.Model]
    columns: Sequence[str]
    """What is written when a row is sealed anew."""
    key_ids: dict[str, models.Func]
    """The id of the key that each sealed value of a row is under, by a name no field has."""
    formats: dict[str, models.Func]
    """The format of each sealed value of a row, by a name no field has."""
    locked: Sequence[str]
    """Relations to rows that must not change while a row is sealed anew."""

    def rows(self) -> "models.QuerySet[Any]":
        """All rows with something to seal, of whatever lab."""

    def sealed_anew(self, row: Any) -> Sequence[Any]:
        """The values of `columns` under the current key.

        Raises:
            Unreadable: what is there cannot be decrypted.
        """


class TableWithFields:
    """The table of a model with encrypted fields."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model
        self.encrypted, self.hashed = _fields(model, EncryptedField), _fields(model, KeyedHashField)
        self.columns: Sequence[str] = [field.column for field in (*self.hashed, *self.encrypted)]
        self.key_ids: dict[str, models.Func] = {
            f"{field.name}_key": KeyId(field.name) for field in self.encrypted
        }
        self.formats: dict[str, models.Func] = {
            f"{field.name}_format": Format(field.name) for field in self.encrypted
        }

        sources = {field.source.rpartition(".")[0] for field in self.hashed}
        self.locked: Sequence[str] = [source.replace(".", "__") for source in sources if source]

    def rows(self) -> "models.QuerySet[Any]":
        """With what their keys and hashes are of."""
        rows = self.model._base_manager.all()
        keys = {field.key.replace(".", "__") for field in self.encrypted if field.key}
        for path in (*keys, *self.locked):
            rows = rows.select_related(path)
        return rows

    def sealed_anew(self, row: Any) -> list[Any]:
        for field in self.encrypted:
            setattr(row, field.attname, getattr(row, field.attname))  # opened; `pre_save` seals it anew
        return [field.pre_save(row, add=False) for field in (*self.hashed, *self.encrypted)]


@dataclass(frozen=True)
class Held:
    """A row with values under the key of whom its `holder` belongs to."""

    row: models.Model
    holder: models.Model
    fields: Sequence[EncryptedField]

    def hand_over(self, relation: str, owner: models.Model) -> None:
        """Seal under the key of `owner`, whose the holder's row is already, what can be read."""
        opened = {}
        for field in self.fields:
            with suppress(Unreadable):
                opened[field.attname] = getattr(self.row, field.attname)
        setattr(self.holder, relation, owner)
        for name, value in opened.items():
            setattr(self.row, name, value)
        if opened:
            self.row.save(update_fields=opened)


def held_by(holders: Sequence[models.Model], key: str) -> Iterator[Held]:
    """Every row, of whatever table, with values under a key that is found at `key` from one of `holders`."""
    for model in apps.get_models():
        fields = [field for field in _fields(model, EncryptedField) if field.key.endswith(f".{key}")]
        for path, of_path in groupby(fields, lambda field: field.key.removesuffix(f".{key}")):
            found, along = list(of_path), path.replace(".", "__")
            rows = model._base_manager.filter(**{f"{along}__in": holders})
            for row in rows.select_related(f"{along}__{key.replace('.', '__')}"):
                yield Held(row, attrgetter(path)(row), found)


_registered: list[SealedTable] = []


def register(table: SealedTable) -> None:
    """Let rotation go through a table whose model has no encrypted fields."""
    _registered.append(table)


def sealed_tables() -> Iterator[SealedTable]:
    """Every table with sealed values."""
    for model in apps.get_models():
        if _fields(model, EncryptedField):
            yield TableWithFields(model)
    yield from _registered


def _fields(model: type[models.Model], kind: type[Any]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if isinstance(field, kind)]
