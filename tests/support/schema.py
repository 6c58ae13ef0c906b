"""What tables a database has, and what of a change the release before does not survive."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

_COLUMNS = """
    SELECT relation.relname, attribute.attname, format_type(attribute.atttypid, attribute.atttypmod),
        attribute.attnotnull,
        attribute.atthasdef OR attribute.attidentity <> '' OR attribute.attgenerated <> ''
    FROM pg_attribute attribute JOIN pg_class relation ON relation.oid = attribute.attrelid
    WHERE relation.relnamespace = 'public'::regnamespace AND relation.relkind IN ('r', 'p')
        AND attribute.attnum > 0 AND NOT attribute.attisdropped
"""
# What it asks of rows, with the columns that this is about.
_RULES = """
    WITH rule AS (
        SELECT conrelid AS of, 'pg_constraint'::regclass AS kind, oid, pg_get_constraintdef(oid) AS says
        FROM pg_constraint WHERE contype IN ('c', 'u', 'x', 'f', 'p')
        UNION ALL
        SELECT indrelid, 'pg_class'::regclass, indexrelid,
            'UNIQUE ' || regexp_replace(pg_get_indexdef(indexrelid), '^.*? USING btree ', '')
        FROM pg_index
        WHERE indisunique AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
        UNION ALL
        SELECT tgrelid, 'pg_trigger'::regclass, oid,
            'TRIGGER ' || regexp_replace(pg_get_triggerdef(oid), '^.*? (BEFORE|AFTER)', '\\1')
        FROM pg_trigger WHERE NOT tgisinternal
    )
    SELECT relation.relname, rule.says, ARRAY(
        SELECT DISTINCT attribute.attname::text FROM pg_depend depend JOIN pg_attribute attribute
            ON attribute.attrelid = depend.refobjid AND attribute.attnum = depend.refobjsubid
        WHERE depend.classid = rule.kind AND depend.objid = rule.oid AND depend.refobjid = rule.of
            AND depend.refobjsubid > 0
        ORDER BY 1
    )
    FROM rule JOIN pg_class relation ON relation.oid = rule.of
    WHERE relation.relnamespace = 'public'::regnamespace
"""
_LONGER = ("character varying", "text")


@dataclass(frozen=True)
class Column:
    type: str
    not_null: bool
    has_default: bool
    """Whether a row that does not name it gets a value by the database."""


@dataclass(frozen=True)
class Rule:
    """What the database asks of a table's rows: a constraint, a unique index, a trigger."""

    table: str
    says: str
    columns: tuple[str, ...]

    def concerns(self, known: dict[str, Column], now: dict[str, Column]) -> bool:
        """Whether it may reject a row of who knows the columns `known` alone, and so names no other."""
        new = [name for name in self.columns if name not in known]
        if self.says.startswith("CHECK"):
            return len(new) < len(self.columns) or "IS NOT NULL" in self.says
        return all(now[name].has_default for name in new)  # else one is empty, and nothing is the same as it


@dataclass(frozen=True)
class Schema:
    """Tables by name, each with its columns by name, and what the database asks of their rows."""

    tables: dict[str, dict[str, Column]]
    rules: frozenset[Rule]

    @classmethod
    def of(cls, connection: "psycopg.Connection[tuple[Any, ...]]") -> "Schema":
        tables: dict[str, dict[str, Column]] = {}
        for table, name, type_, not_null, has_default in connection.execute(_COLUMNS):
            tables.setdefault(str(table), {})[str(name)] = Column(
                str(type_), bool(not_null), bool(has_default)
            )
        rows = connection.execute(_RULES)
        return cls(
            tables, frozenset(Rule(str(table), _plain(str(says)), tuple(on)) for table, says, on in rows)
        )


def _plain(rule: str) -> str:
    """A rule without casts and brackets: a dump that was restored has others than the statement had."""
    return re.sub(r"::[a-z ]+(\[\])?|[()]", "", rule)


def breaks(
    before: Schema, now: Schema, let_go: Collection[str] = (), rejecting_nothing: Collection[str] = ()
) -> list[str]:
    """What the code that works on `before` does not survive in `now`.

    Args:
        let_go: tables, and columns as `table.column`, that this code no longer used.
        rejecting_nothing: functions of triggers that take every row.
    """
    harmless = tuple(f" EXECUTE FUNCTION {name}" for name in rejecting_nothing)
    return sorted(_breaks(before, now, set(let_go), harmless))


def _breaks(before: Schema, now: Schema, let_go: set[str], harmless: tuple[str, ...]) -> Iterator[str]:
    for table, columns in before.tables.items():
        if table in let_go:
            continue
        if table not in now.tables:
            yield f"{table} is gone, or has another name"
            continue
        yield from _breaks_of(table, columns, now.tables[table], let_go)
    for rule in now.rules - before.rules:
        known = before.tables.get(rule.table)
        if rule.says.endswith(harmless):
            continue
        if known and rule.table not in let_go and rule.concerns(known, now.tables[rule.table]):
            yield f"{rule.table} asks more of its rows: {rule.says}"


def _breaks_of(
    table: str, before: dict[str, Column], now: dict[str, Column], let_go: set[str]
) -> Iterator[str]:
    for name, column in before.items():
        if f"{table}.{name}" in let_go:
            continue
        if name not in now:
            yield f"{table}.{name} is gone, or has another name"
            continue
        changed = now[name]
        if changed.type != column.type and not _holds(changed.type, column.type):
            yield f"{table}.{name} was {column.type}, and is {changed.type}"
        if changed.not_null and not column.not_null:
            yield f"{table}.{name} may not be empty any more"
        if changed.not_null and column.has_default and not changed.has_default:
            yield f"{table}.{name} has no default any more"
    for name in now.keys() - before.keys():
        if now[name].not_null and not now[name].has_default:
            yield f"{table}.{name} is new, may not be empty, and has no default in the database"


def _holds(now: str, before: str) -> bool:
    """Whether a text may be as long as it was."""
    if not (now.startswith(_LONGER) and before.startswith(_LONGER)):
        return False
    return _length(now) >= _length(before)


def _length(type_: str) -> float:
    digits = type_.partition("(")[2].rstrip(")")
    return int(digits) if digits else float("inf")
