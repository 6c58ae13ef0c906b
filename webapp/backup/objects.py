"""Objects out of the store and back: those that rows name, in the very versions that they name."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from datetime import timedelta
from itertools import islice
from tempfile import NamedTemporaryFile
from typing import TypeVar

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_scopes import scopes_disabled

from webapp.backup.snapshots import OBJECTS, Manifest, Snapshot, StoredObject
from webapp.cases.models import Image, TilePack
from webapp.jobs.models import Job
from webapp.storage import locked, objects

THREADS, BATCH = 8, 500

T = TypeVar("T")


class Copied:
    """Counts of a copy."""

    def __init__(self) -> None:
        self.objects = self.new = self.bytes = 0
        self.missing: list[str] = []


def anchors() -> list[str]:
    """Keys of what vouches for the audit trail."""
    return sorted(set(locked.keys("")))


def copy_out(snapshot: Snapshot, anchor_keys: list[str], before: Iterable[StoredObject]) -> Copied:
    """Copy every object that a row names into the snapshot's contents, and list them in it.

    Versions never change, so what the snapshot before has is not fetched again. Memory does not grow with
    their number.

    Args:
        before: what an authentic snapshot before this one has.

    Raises:
        Damaged: it has not what it says.
    """
    copied = Copied()

    def fetch(key: str, version: str, sure: bool) -> StoredObject | None:
        try:
            version = version or objects.latest_version(key)
            if kept := had.get(key, version):
                return kept
            body, version = objects.get(key, version=version)
        except objects.ObjectMissing:
            if sure:
                copied.missing.append(key)
            return None
        copied.new += 1
        return StoredObject(key, version, snapshot.contents.put(body), len(body))

    with (
        ThreadPoolExecutor(THREADS) as pool,
        (snapshot.path / OBJECTS).open("w") as index,
        NamedTemporaryFile(dir=snapshot.contents.folder, prefix=".had-") as file,
        closing(_Had(file.name, before)) as had,
    ):

        def add(stored: StoredObject) -> None:
            copied.objects += 1
            copied.bytes += stored.size
            index.write(json.dumps(asdict(stored)) + "\n")

        for key in anchor_keys:
            add(_anchor(snapshot, key))
        for rows in _batches(_named()):
            for stored in pool.map(fetch, *zip(*rows, strict=True)):
                if stored is not None:
                    add(stored)
    return copied


def copy_in(snapshot: Snapshot, manifest: Manifest) -> int:
    """Put the snapshot's objects back into the prepared store, and have rows name their new versions.

    Raises:
        Damaged: one of them is not what was written.
    """
    kept_until = timezone.now() + timedelta(days=settings.AUDIT_ANCHOR_DAYS)
    there = anchors()

    def put(stored: StoredObject) -> tuple[str, str]:
        body = snapshot.contents.get(stored.sha256)
        if not stored.locked:
            return objects.put(stored.key, body, "application/octet-stream"), stored.key
        if stored.key not in there:
            locked.put(stored.key, body, until=kept_until)
        return "", stored.key

    n = 0
    with ThreadPoolExecutor(THREADS) as pool, connection.cursor() as cursor:
        for listed in _batches(snapshot.objects(manifest)):
            versions = list(pool.map(put, listed))
            n += len(versions)
            cursor.executemany(
                "UPDATE cases_image SET object_version = %s WHERE key = %s AND object_version <> ''", versions
            )
    return n


class _Had:
    """What an older snapshot has, by key and version: in a file, since millions are too many for memory."""

    def __init__(self, path: str, listed: Iterable[StoredObject]) -> None:
        self._database = sqlite3.connect(path, check_same_thread=False)  # written before threads read it
        self._database.execute("CREATE TABLE had (key, version, sha256, size, PRIMARY KEY (key, version))")
        rows = ((kept.key, kept.version, kept.sha256, kept.size) for kept in listed if not kept.locked)
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO had VALUES (?, ?, ?, ?)", rows)

    def get(self, key: str, version: str) -> StoredObject | None:
        query = "SELECT key, version, sha256, size FROM had WHERE key = ? AND version = ?"
        row = self._database.execute(query, (key, version)).fetchone()
        return StoredObject(*row) if row else None

    def close(self) -> None:
        self._database.close()


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _anchor(snapshot: Snapshot, key: str) -> StoredObject:
    body = locked.get(key)
    return StoredObject(key, "", snapshot.contents.put(body), len(body), locked=True)


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
        for key in TilePack.objects.order_by("id").values_list("key", flat=True).iterator():
            yield key, "", True
        for job in Job.objects.filter(state=Job.State.DONE).order_by("created_at").iterator():
            for part_key in job.part_keys:
                yield part_key, "", False  # may have expired meanwhile
