"""The hash that ties an entry to the one before it.

An entry's hash is the SHA-256 of the canonical JSON of all its other columns: an object with exactly the keys
`COLUMNS`, sorted, without white space, in UTF-8, as RFC 8785 (JSON Canonicalization Scheme) has it. Byte
strings are written in lower-case hexadecimal, UUIDs in their usual form, and times in UTC as
`2026-01-31T12:00:00.000000Z`. `before` and `after` hold texts, whole numbers, booleans, nulls, lists and
objects only, so that what PostgreSQL's `jsonb` gives back is what was hashed.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

COLUMNS = (
    "chain",
    "seq",
    "previous",
    "at",
    "action",
    "actor_id",
    "actor_name",
    "token",
    "address",
    "user_agent",
    "request_id",
    "subject",
    "subject_id",
    "before",
    "after",
)
INSTALLATION = UUID(int=0)
"""The chain of what belongs to no lab: sign-in, accounts, the base model."""

NOTHING_BEFORE = bytes(32)
"""`previous` of a chain's first entry."""


def hash_of(entry: Mapping[str, Any]) -> bytes:
    """SHA-256 over the columns of an entry."""
    return sha256(canonical(document(entry))).digest()


def document(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as it is hashed, and exported."""
    columns = {name: entry[name] for name in COLUMNS}
    columns["chain"] = str(entry["chain"])
    columns["previous"] = bytes(entry["previous"]).hex()
    columns["at"] = _time(entry["at"])
    return columns


def canonical(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def text(value: str, limit: int) -> str:
    """What PostgreSQL can keep of `value`, in at most `limit` characters."""
    kept = value.replace("\0", "").encode("utf-8", "replace").decode()
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def plain(value: Any) -> Any:
    """`value` as `before` and `after` keep it; what JSON has no exact form for becomes text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        return {text(str(key), 100): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return text(str(value), 1000)
