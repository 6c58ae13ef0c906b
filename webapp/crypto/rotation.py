"""Sealing everything anew with the current key, while the product runs.

Rows are taken in small batches in the order of their primary keys, each in a transaction of its own that
holds its rows for milliseconds. A row says by itself which key it is under, so there is no state to lose:
after a kill, the next run passes over what is done.
"""

import operator
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction
from psycopg import sql

from webapp.crypto.cipher import Unreadable
from webapp.crypto.fields import EncryptedField, KeyedHashField
from webapp.crypto.keyring import keyring

BATCH = 200
PASSES = 20  # over rows that others held in the passes before
PAUSE_SECONDS = 0.5


class KeyId(models.Func):
    """The id of the key that a sealed value is under; null where there is none to be read."""

    template = (
        "CASE WHEN length(%(expressions)s) > 2 THEN"
        " encode(substring(%(expressions)s FROM 3 FOR get_byte(%(expressions)s, 1)), 'escape') END"
    )
    output_field = models.TextField()


@dataclass(frozen=True)
class Step:
    """What one batch did: rows sealed anew, and the primary keys of those that cannot be decrypted."""

    table: str
    rows: int
    unreadable: tuple[Any, ...]


def encrypted_models() -> list[type[models.Model]]:
    """Every model with an encrypted field."""
    return [model for model in apps.get_models() if _fields(model, EncryptedField)]


def rows_by_key() -> dict[str, int]:
    """How many rows have something sealed with each key; keys that are no longer ours among them."""
    counts: dict[str, int] = {key.id: 0 for key in keyring()}
    for model in encrypted_models():
        rows = _with_key_ids(model)
        names = [f"{field.name}_key" for field in _fields(model, EncryptedField)]
        found = {key or "" for name in names for key in rows.values_list(name, flat=True).distinct()}
        for key_id in found:
            of_key = reduce(operator.or_, (models.Q(**_is(name, key_id)) for name in names))
            counts[key_id] = counts.get(key_id, 0) + rows.filter(of_key).count()
    return counts


def stale_rows() -> int:
    """How many rows have something sealed with another key than the current one."""
    return sum(_stale(model).count() for model in encrypted_models())


def rotate() -> Iterator[Step]:
    """Seal every stale row anew and hash it again, yielding after each batch.

    Rows that somebody is writing meanwhile are passed over and come later; those that cannot be decrypted
    stay as they are.
    """
    for model in encrypted_models():
        unreadable: set[Any] = set()
        for _ in range(PASSES):
            for step in _pass(model, unreadable):
                unreadable.update(step.unreadable)
                yield step
            if not _stale(model).exclude(pk__in=unreadable).exists():
                break
            time.sleep(PAUSE_SECONDS)


def _pass(model: type[models.Model], unreadable: set[Any]) -> Iterator[Step]:
    key = model._meta.pk.attname
    rest = _stale(model).order_by(key).exclude(pk__in=unreadable)
    while True:
        with transaction.atomic():
            rows = list(rest.select_for_update(skip_locked=True, of=("self",))[:BATCH])
            spoiled = _seal_anew(model, rows)
        if not rows:
            return
        yield Step(model._meta.db_table, len(rows) - len(spoiled), tuple(spoiled))
        rest = _stale(model).order_by(key).exclude(pk__in=unreadable).filter(**{f"{key}__gt": rows[-1].pk})


def _seal_anew(model: type[models.Model], rows: list[models.Model]) -> list[Any]:
    """Write the rows, which are locked, under the current key; returns which cannot be decrypted."""
    encrypted, hashed = _fields(model, EncryptedField), _fields(model, KeyedHashField)
    written, spoiled = [], []
    for row in rows:
        try:
            for field in encrypted:
                setattr(row, field.attname, getattr(row, field.attname))  # opened; `pre_save` seals it anew
            values = [field.pre_save(row, add=False) for field in (*hashed, *encrypted)]
        except Unreadable:
            spoiled.append(row.pk)
        else:
            written.append((*values, row.pk))
    columns = [sql.SQL("{} = %s").format(sql.Identifier(field.column)) for field in (*hashed, *encrypted)]
    statement = sql.SQL("UPDATE {} SET {} WHERE {} = %s").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join(columns),
        sql.Identifier(str(model._meta.pk.column)),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, written)
    return spoiled


def _stale(model: type[models.Model]) -> models.QuerySet[Any]:
    current = keyring().current.id
    names = [f"{field.name}_key" for field in _fields(model, EncryptedField)]
    return _with_key_ids(model).exclude(**dict.fromkeys(names, current))


def _with_key_ids(model: type[models.Model]) -> models.QuerySet[Any]:
    """All rows, of whatever lab, with `<field>_key` for each encrypted field."""
    key_ids = {f"{field.name}_key": KeyId(field.name) for field in _fields(model, EncryptedField)}
    rows: models.QuerySet[Any] = model._base_manager.annotate(**key_ids)
    return rows


def _is(name: str, key_id: str) -> dict[str, Any]:
    return {name: key_id} if key_id else {f"{name}__isnull": True}


def _fields(model: type[models.Model], kind: type[Any]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if isinstance(field, kind)]
