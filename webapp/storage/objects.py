"""Objects in the S3-compatible store, always encrypted at rest by the store (SSE, AES-256)."""

import json
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import IO, Any
from urllib.parse import quote

import boto3
import certifi
import urllib3
from botocore.auth import SIGV4_TIMESTAMP, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from webapp.telemetry import tracing

ENCRYPTION = "AES256"
CONNECTIONS = 32
_no_parts_until = 0.0  # by the monotonic clock of this process
StorageUnavailable = (BotoCoreError, ClientError, urllib3.exceptions.HTTPError)
"""What a call raises while the store cannot be reached, or rejects us; `ObjectMissing` is another matter."""


class ObjectMissing(Exception):
    """There is no object under this key."""


class ObjectTooShort(urllib3.exceptions.HTTPError):
    """An object ends before what its row says is in it."""


class PartsUnavailable(Exception):
    """The store cannot give a part of an object; the whole may be had all the same."""


def put(key: str, body: bytes | IO[bytes], content_type: str) -> str:
    """Write an object; returns the version that it is."""
    with _span("PutObject", key):
        done = _client().put_object(
            Bucket=settings.S3_BUCKET,
            Key=key,
            Body=body,
            ContentType=content_type,
            ServerSideEncryption=ENCRYPTION,
        )
    return str(done.get("VersionId", ""))


def get(key: str, *, version: str = "") -> tuple[bytes, str]:
    """The object's bytes, and the version they are, by which they can be had again whatever is written later.

    Without a `version` it is the latest.

    Through a presigned link and urllib3: a worker does this for every image, and boto3 takes more than three
    times the CPU for it.

    Raises:
        ObjectMissing: nothing lies under `key`.
    """
    with _span("GetObject", key):
        url = _link(settings.S3_ENDPOINT, key, {"versionId": version} if version else {})
        response = _connections().request("GET", url)
        if response.status == HTTPStatus.NOT_FOUND:
            raise ObjectMissing(key)
        if response.status != HTTPStatus.OK:
            # untranslated: for the log
            raise urllib3.exceptions.HTTPError(f"the object store answered {response.status}")
    return response.data, response.headers.get("x-amz-version-id", "")


def get_range(key: str, offset: int, length: int) -> bytes:
    """`length` of the object's bytes, from `offset` on.

    SeaweedFS whose own parts speak TLS (4.48) fails at parts of what it has encrypted, since it asks itself
    for these in plain text. That is remembered for S3_PARTS_RETRY_SECONDS, so that one request is in vain and
    not one for each object.

    Raises:
        ObjectMissing: nothing lies under `key`.
        PartsUnavailable: the store failed, now or shortly before.
    """
    global _no_parts_until
    if time.monotonic() < _no_parts_until:
        raise PartsUnavailable
    with _span("GetObject", key):
        wanted = {"Range": f"bytes={offset}-{offset + length - 1}"}
        url = _link(settings.S3_ENDPOINT, key, {})
        response = _connections().request("GET", url, headers=wanted, retries=False)
    if response.status == HTTPStatus.NOT_FOUND:
        raise ObjectMissing(key)
    if response.status != HTTPStatus.PARTIAL_CONTENT:
        _no_parts_until = time.monotonic() + settings.S3_PARTS_RETRY_SECONDS
        raise PartsUnavailable
    return response.data


def latest_version(key: str) -> str:
    """The version of the object that `get` would give.

    Raises:
        ObjectMissing: nothing lies under `key`.
    """
    try:
        found = _client().head_object(Bucket=settings.S3_BUCKET, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
            raise ObjectMissing(key) from None
        raise
    return str(found.get("VersionId", ""))


def upload_form(key: str, max_bytes: int) -> dict[str, Any]:
    """A presigned POST: `url` and `fields` with which a client may write up to `max_bytes` under `key`."""
    form: dict[str, Any] = _public_client().generate_presigned_post(
        Bucket=settings.S3_BUCKET,
        Key=key,
        Fields={"x-amz-server-side-encryption": ENCRYPTION},
        Conditions=[
            {"x-amz-server-side-encryption": ENCRYPTION},
            ["content-length-range", 0, max_bytes],
        ],
        ExpiresIn=settings.UPLOAD_LINK_SECONDS,
    )
    return form


class _RoundedTimeAuth(S3SigV4QueryAuth):  # type: ignore[misc]  # botocore has no types
    """Signs as of the last full DOWNLOAD_KEPT_SECONDS, so that a link is the same until the next."""

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        kept = settings.DOWNLOAD_KEPT_SECONDS
        tick = int(time.time()) // kept * kept
        request.context["timestamp"] = datetime.fromtimestamp(tick, UTC).strftime(SIGV4_TIMESTAMP)
        super()._modify_request_before_signing(request)


def download_url(key: str, content_type: str, *, version: str = "") -> str:
    """A link to read `key` for DOWNLOAD_LINK_SECONDS at most, and DOWNLOAD_KEPT_SECONDS less at least.

    Browsers keep what they got for DOWNLOAD_KEPT_SECONDS, no longer: the store cannot tell them that a person
    has signed out. The link stays the same for as long, so that a gallery that is looked at again is not
    fetched again. `version` is one that `get` returned; without it the latest is read.
    """
    # untranslated: headers
    asked = {
        "response-content-type": content_type,
        "response-cache-control": f"private, max-age={settings.DOWNLOAD_KEPT_SECONDS}",
        **({"versionId": version} if version else {}),
    }
    return _link(
        settings.S3_PUBLIC_ENDPOINT, key, asked, sign=_RoundedTimeAuth, expires=settings.DOWNLOAD_LINK_SECONDS
    )


def _link(
    endpoint: str,
    key: str,
    asked: Mapping[str, str],
    *,
    sign: type[S3SigV4QueryAuth] = S3SigV4QueryAuth,
    expires: int = settings.S3_LINK_SECONDS,
) -> str:
    """A presigned link to read `key`; made here, since boto3 takes three times the CPU for it."""
    request = AWSRequest("GET", f"{endpoint}/{settings.S3_BUCKET}/{quote(key)}", params=dict(asked))
    credentials = Credentials(settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY)
    sign(credentials, "s3", settings.S3_REGION, expires=expires).add_auth(request)
    return str(request.url)


def delete(key: str) -> None:
    """Delete an object with all its versions, if it is there."""
    with _span("DeleteObject", key):
        found = _client().list_object_versions(Bucket=settings.S3_BUCKET, Prefix=key)
        for version in (*found.get("Versions", ()), *found.get("DeleteMarkers", ())):
            if version["Key"] == key:
                _client().delete_object(Bucket=settings.S3_BUCKET, Key=key, VersionId=version["VersionId"])


def prepare() -> None:
    """Make the bucket, which keeps what is overwritten and encrypts all, and let the web's pages post to it.

    May be run again.
    """
    client = _client()
    with suppress(client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou):
        client.create_bucket(Bucket=settings.S3_BUCKET)
    client.put_bucket_versioning(Bucket=settings.S3_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    client.put_bucket_encryption(
        Bucket=settings.S3_BUCKET,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": ENCRYPTION}}]
        },
    )
    _deny_unencrypted(client)
    client.put_bucket_cors(
        Bucket=settings.S3_BUCKET,
        CORSConfiguration={
            "CORSRules": [
                {
                    "AllowedOrigins": settings.WEB_ORIGINS,
                    "AllowedMethods": ["GET", "POST"],
                    "AllowedHeaders": ["*"],
                    "MaxAgeSeconds": settings.S3_CORS_KEPT_SECONDS,
                }
            ]
        },
    )


def _deny_unencrypted(client: Any) -> None:
    """Have the store deny a put that does not ask for encryption: so a client that omits it is found out.

    A store without bucket policies encrypts it all the same, by the bucket's default.
    """
    statement = {
        "Sid": "DenyUnencrypted",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{settings.S3_BUCKET}/*",
        "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": ENCRYPTION}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    try:
        client.put_bucket_policy(Bucket=settings.S3_BUCKET, Policy=policy)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NotImplemented", "MethodNotAllowed"):
            raise


def check() -> None:
    """Raise one of `StorageUnavailable` unless the bucket answers within seconds."""
    _probe_client().head_bucket(Bucket=settings.S3_BUCKET)


def answers() -> bool:
    """Whether the bucket answers within seconds."""
    try:
        check()
    except StorageUnavailable:
        return False
    return True


def _span(operation: str, key: str) -> AbstractContextManager[None]:
    named = {"rpc.system.name": "aws-api", "rpc.method": f"S3/{operation}"}
    where = {"aws.s3.bucket": settings.S3_BUCKET, "aws.s3.key": key}
    return tracing.span(f"S3/{operation}", {**named, **where}, kind="client")


@cache
def _client() -> Any:
    return _retrying_client(settings.S3_ENDPOINT)


@cache
def _probe_client() -> Any:
    return _connect(settings.S3_ENDPOINT, timeout_s=settings.S3_PROBE_TIMEOUT_SECONDS, attempts=1)


@cache
def _public_client() -> Any:
    return _retrying_client(settings.S3_PUBLIC_ENDPOINT)


@cache
def _connections() -> urllib3.PoolManager:
    return urllib3.PoolManager(
        maxsize=CONNECTIONS,
        timeout=urllib3.Timeout(
            connect=settings.S3_CONNECT_TIMEOUT_SECONDS, read=settings.S3_READ_TIMEOUT_SECONDS
        ),
        retries=urllib3.Retry(
            settings.S3_MAX_ATTEMPTS - 1,
            backoff_factor=settings.S3_RETRY_FIRST_SECONDS,
            status_forcelist=[500, 502, 503, 504],
        ),
        ca_certs=str(settings.S3_TLS.ca or certifi.where()),  # what boto3 trusts, too
        cert_file=settings.S3_TLS.certificate,
        key_file=settings.S3_TLS.key,
    )


def _retrying_client(endpoint: str) -> Any:
    return _connect(endpoint, timeout_s=settings.S3_READ_TIMEOUT_SECONDS, attempts=settings.S3_MAX_ATTEMPTS)


def _connect(endpoint: str, *, timeout_s: int, attempts: int) -> Any:
    files = settings.S3_TLS
    return boto3.client(
        "s3",
        verify=str(files.ca or certifi.where()),  # whatever AWS_CA_BUNDLE says
        endpoint_url=endpoint,
        region_name=settings.S3_REGION,
        aws_access_key_id=settings.S3_ACCESS_KEY,
        aws_secret_access_key=settings.S3_SECRET_KEY,
        config=Config(
            client_cert=(str(files.certificate), str(files.key)) if files.certificate else None,
            # A site's proxy is not for the store; `get` knows none, and botocore no networks in NO_PROXY.
            proxies={},
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            max_pool_connections=CONNECTIONS,
            connect_timeout=settings.S3_CONNECT_TIMEOUT_SECONDS,
            read_timeout=timeout_s,
            retries={"mode": "standard", "total_max_attempts": attempts},
            # Checksums of our own bodies cost CPU for nothing: TLS or loopback carries them.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
