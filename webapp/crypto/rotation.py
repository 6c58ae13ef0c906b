"""Sealing everything anew with the current key, and as it is sealed today, while the product runs.

Rows are taken in small batches in the order of their primary keys, each in a transaction of its own that
holds its rows for milliseconds. A row says by itself which key it is under, so there is no state to lose:
after a kill, the next run passes over what is done. What lies under a key of a record's own is passed over,
unless it is in an older format: that key is sealed anew instead.
"""

import operator
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from psycopg import sql

from webapp.crypto.cipher import FORMAT, OWN, Unreadable
from webapp.crypto.keyring import keyring
from webapp.crypto.tables import SealedTable, sealed_tables

BATCH = 200


@dataclass(frozen=True)
class Step:
    """What one batch did: rows sealed anew, and the primary keys of those that cannot be decrypted."""

    table: str
    rows: int
    unreadable: tuple[Any, ...]


def rows_by_key() -> dict[str, int]:
    """How many rows have something sealed with each key; keys that are no longer ours among them, but not
    those of records' own, which are sealed in their turn.

    Under the empty id stand rows with something that no key seals.
    """
    counts: dict[str, int] = {key.id: 0 for key in keyring()}
    for table in sealed_tables():
        rows = _with_key_ids(table)
        found = {key or "" for name in table.key_ids for key in rows.values_list(name, flat=True).distinct()}
        for key_id in {key_id for key_id in found if not key_id.startswith(OWN)}:
            of_key = reduce(operator.or_, (models.Q(**_is(name, key_id)) for name in table.key_ids))
            counts[key_id] = counts.get(key_id, 0) + rows.filter(of_key).count()
    return counts


def stale_rows() -> int:
    """How many rows have something sealed with another key than the current one or with none, or in an older
    format."""
    return sum(_stale(table).count() for table in sealed_tables())


def rotate() -> Iterator[Step]:
    """Seal every stale row anew and hash it again, yielding after each batch.

    Rows that somebody is writing meanwhile are passed over and come later; those that cannot be decrypted
    stay as they are.
    """
    for table in sealed_tables():
        unreadable: set[Any] = set()
        for _ in range(settings.KEY_ROTATION_PASSES):
            for step in _pass(table, unreadable):
                unreadable.update(step.unreadable)
                yield step
            if not _stale(table).exclude(pk__in=unreadable).exists():
                break
            time.sleep(settings.KEY_ROTATION_PAUSE_SECONDS)


def _pass(table: SealedTable, unreadable: set[Any]) -> Iterator[Step]:
    key = table.model._meta.pk.attname
    rest = _stale(table).order_by(key).exclude(pk__in=unreadable)
    while True:
        with transaction.atomic():
            rows = list(rest.select_for_update(skip_locked=True, of=("self", *table.locked))[:BATCH])
            spoiled = _seal_anew(table, rows)
        if not rows:
            return
        yield Step(table.model._meta.db_table, len(rows) - len(spoiled), tuple(spoiled))
        rest = _stale(table).order_by(key).exclude(pk__in=unreadable).filter(**{f"{key}__gt": rows[-1].pk})


def _seal_anew(table: SealedTable, rows: list[models.Model]) -> list[Any]:
    """Write the rows, which are locked, under the current key; returns which cannot be decrypted."""
    written, spoiled = [], []
    for row in rows:
        try:
            written.append((*table.sealed_anew(row), row.pk))
        except Unreadable:
            spoiled.append(row.pk)
    columns = [sql.SQL("{} = %s").format(sql.Identifier(column)) for column in table.columns]
    statement = sql.SQL("UPDATE {} SET {} WHERE {} = %s").format(
        sql.Identifier(table.model._meta.db_table),
        sql.SQL(", ").join(columns),
        sql.Identifier(str(table.model._meta.pk.column)),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, written)
    return spoiled


def _stale(table: SealedTable) -> models.QuerySet[Any]:
    current = keyring().current.id
    others = [
        ~models.Q(**{name: current}) & ~models.Q(**{f"{name}__startswith": OWN}) | models.Q(**_is(name, ""))
        for name in table.key_ids
    ]
    older = [models.Q(**{f"{name}__lt": FORMAT}) for name in table.formats]
    rows: models.QuerySet[Any] = _with_key_ids(table).annotate(**table.formats)
    return rows.filter(reduce(operator.or_, others + older))


def _with_key_ids(table: SealedTable) -> models.QuerySet[Any]:
    rows: models.QuerySet[Any] = table.rows().annotate(**table.key_ids)
    return rows


def _is(name: str, key_id: str) -> dict[str, Any]:
    return {name: key_id} if key_id else {f"{name}__isnull": True}
