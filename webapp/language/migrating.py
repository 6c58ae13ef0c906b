"""How a column of English text becomes one of sentences."""

from django.db.migrations import RemoveField, RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation

_COPIED = """
    UPDATE {table} SET reason = jsonb_build_object('text', {old}, 'values', jsonb_build_object())
    WHERE {old} <> ''
"""
_BACK = "UPDATE {table} SET {old} = left(reason->>'text', 300) WHERE reason IS NOT NULL"


def carry_over(model: str, table: str, old: str) -> list[Operation]:
    """Copy what is in the text column `old` to the column `reason`, and use `old` no more.

    It stays in the database, and fills itself: whoever knows nothing of it can write rows.
    """
    names = {"table": table, "old": old}
    copied, back = (_COPIED.format(**names), _BACK.format(**names))
    default = f"ALTER TABLE {table} ALTER COLUMN {old}"
    return [
        SeparateDatabaseAndState(
            [RunSQL(f"{default} SET DEFAULT ''", f"{default} DROP DEFAULT")], [RemoveField(model, old)]
        ),
        RunSQL(copied, back),
    ]
