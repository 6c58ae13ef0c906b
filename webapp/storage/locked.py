"""Objects that nobody may change or take back, in a bucket of their own.

The bucket keeps versions and, where the store offers object lock, denies deleting them before their time.
What was hidden by a delete marker or written over is listed all the same.
"""

from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus

from botocore.exceptions import ClientError
from django.conf import settings

from webapp.storage.objects import ENCRYPTION, _client

_NO_LOCK = ("InvalidRequest", "NotImplemented")  # what stores say that have none, or not for this bucket


def prepare() -> None:
    """Make the bucket, with object lock where the store has it. May be run again."""
    store, bucket = _client(), settings.S3_LOCKED_BUCKET
    try:
        store.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.NOT_FOUND:
            raise
        try:
            store.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NO_LOCK:
                raise
            store.create_bucket(Bucket=bucket)
    store.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def put(key: str, body: bytes, *, until: datetime) -> bool:
    """Keep an object, locked until then; returns whether the store took the lock."""
    try:
        _put(key, body, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NO_LOCK:
            raise
        _put(key, body)
        return False
    return True


def keys(prefix: str) -> Iterator[str]:
    """The keys under `prefix`, sorted, those of overwritten and deleted objects included."""
    pages = _client().get_paginator("list_object_versions")
    for page in pages.paginate(Bucket=settings.S3_LOCKED_BUCKET, Prefix=prefix):
        for version in page.get("Versions", []):
            yield version["Key"]


def get(key: str) -> bytes:
    """What was kept first under `key`: what was written over it later does not count."""
    store, bucket = _client(), settings.S3_LOCKED_BUCKET
    versions = store.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
    first = min((found for found in versions if found["Key"] == key), key=lambda found: found["LastModified"])
    body: bytes = store.get_object(Bucket=bucket, Key=key, VersionId=first["VersionId"])["Body"].read()
    return body


def _put(key: str, body: bytes, **lock: object) -> None:
    _client().put_object(
        Bucket=settings.S3_LOCKED_BUCKET,
        Key=key,
        Body=body,
        ContentType="application/json",
        ServerSideEncryption=ENCRYPTION,
        **lock,
    )
