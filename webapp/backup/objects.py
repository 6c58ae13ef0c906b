"""Objects out of the store and back: those that rows name, in the very versions that they name."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_scopes import scopes_disabled

from webapp.backup.snapshots import OBJECTS, Snapshot, StoredObject
from webapp.cases.models import Image
from webapp.inference.models import Chunk
from webapp.storage import objects, sealed

THREADS, BATCH = 8, 500


class Copied:
    """Counts of a copy."""

    def __init__(self) -> None:
        self.objects = self.new = self.bytes = 0
        self.missing: list[str] = []


def anchors() -> list[str]:
    """Keys of what vouches for the audit trail."""
    return sorted(set(sealed.keys("")))


def copy_out(snapshot: Snapshot, anchor_keys: list[str], before: Snapshot | None) -> Copied:
    """Copy every object that a row names into the snapshot's contents, and list them in it.

    Versions never change, so what the snapshot before has is not fetched again.
    """
    had = {(kept.key, kept.version): kept for kept in before.objects()} if before else {}
    copied = Copied()

    def fetch(key: str, version: str, sure: bool) -> StoredObject | None:
        try:
            version = version or objects.latest_version(key)
            if kept := had.get((key, version)):
                return kept
            body, version = objects.get(key, version=version)
        except objects.ObjectMissing:
            if sure:
                copied.missing.append(key)
            return None
        copied.new += 1
        return StoredObject(key, version, snapshot.contents.put(body), len(body))

    with ThreadPoolExecutor(THREADS) as pool, (snapshot.path / OBJECTS).open("w") as index:

        def add(stored: StoredObject) -> None:
            copied.objects += 1
            copied.bytes += stored.size
            index.write(json.dumps(asdict(stored)) + "\n")

        for key in anchor_keys:
            add(_anchor(snapshot, key))
        rows = list(_named())
        for start in range(0, len(rows), BATCH):
            for stored in pool.map(fetch, *zip(*rows[start : start + BATCH], strict=True)):
                if stored is not None:
                    add(stored)
    return copied


def copy_in(snapshot: Snapshot) -> int:
    """Put the snapshot's objects back into the prepared store, and have rows name their new versions.

    Raises:
        Damaged: one of them is not what was written.
    """
    kept_until = timezone.now() + timedelta(days=settings.AUDIT_ANCHOR_DAYS)
    there = anchors()

    def put(stored: StoredObject) -> tuple[str, str]:
        body = snapshot.contents.get(stored.sha256)
        if not stored.sealed:
            return objects.put(stored.key, body, "application/octet-stream"), stored.key
        if stored.key not in there:
            sealed.put(stored.key, body, until=kept_until)
        return "", stored.key

    n = 0
    listed = list(snapshot.objects())
    with ThreadPoolExecutor(THREADS) as pool, connection.cursor() as cursor:
        for start in range(0, len(listed), BATCH):
            versions = list(pool.map(put, listed[start : start + BATCH]))
            n += len(versions)
            cursor.executemany(
                "UPDATE cases_image SET object_version = %s WHERE key = %s AND object_version <> ''", versions
            )
    return n


def _anchor(snapshot: Snapshot, key: str) -> StoredObject:
    body = sealed.get(key)
    return StoredObject(key, "", snapshot.contents.put(body), len(body), sealed=True)


def _named() -> Iterator[tuple[str, str, bool]]:
    """Key, version (empty: the latest) and whether the object must be there, of all labs."""
    with scopes_disabled():
        images = Image.objects.exclude(status=Image.Status.AWAITING_UPLOAD).order_by("id")
        for key, version, display_key, status in images.values_list(
            "key", "object_version", "display_key", "status"
        ).iterator():
            yield key, version, status == Image.Status.CLASSIFIED
            if display_key:
                yield display_key, "", status == Image.Status.CLASSIFIED
        sheets = Chunk.objects.exclude(sheet_key="").order_by("id").values_list("sheet_key", flat=True)
        for sheet_key in sheets.iterator():
            yield sheet_key, "", True
