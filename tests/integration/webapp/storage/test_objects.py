"""Objects lie encrypted on disk, whatever a client asks for; one that asks for nothing is denied."""

import secrets
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from django.conf import settings
from django.conf import settings as django_settings

from tests.support.plugin import HOME
from webapp.storage import objects, ranges
from webapp.storage.ranges import Part

pytestmark = pytest.mark.usefixtures("db")
PATTERN_BYTES = 64


def picture() -> bytes:
    return secrets.token_bytes(100_000)


def lies_plain_on_disk(body: bytes) -> bool:
    """Whether any file of the store holds a piece of `body`; random bytes cannot be there by chance."""
    piece = body[50_000 : 50_000 + PATTERN_BYTES]
    files = [path for path in (HOME / "seaweedfs").rglob("*") if path.is_file()]
    return any(piece in path.read_bytes() for path in files)


def by_put(key: str, body: bytes) -> None:
    objects.put(key, body, "image/jpeg")


def by_form(key: str, body: bytes) -> None:
    form = objects.upload_form(key, len(body))
    httpx.post(form["url"], data=form["fields"], files={"file": body}).raise_for_status()


def by_a_form_that_asks_for_nothing(key: str, body: bytes) -> None:
    form = objects._client().generate_presigned_post(Bucket=settings.S3_BUCKET, Key=key)
    httpx.post(form["url"], data=form["fields"], files={"file": body}).raise_for_status()


@pytest.mark.parametrize("send", [by_put, by_form, by_a_form_that_asks_for_nothing])
def test_on_disk_no_picture_can_be_seen(send: Callable[[str, bytes], None]):
    key, body = f"encrypted/{secrets.token_hex(8)}", picture()
    send(key, body)
    assert objects.get(key)[0] == body
    assert (
        objects._client().head_object(Bucket=settings.S3_BUCKET, Key=key)["ServerSideEncryption"] == "AES256"
    )
    assert not lies_plain_on_disk(body)


@pytest.mark.parametrize("send", [by_put, by_form])
def test_the_largest_picture_comes_back(send: Callable[[str, bytes], None]):
    """The store reads objects in several pieces, if they are encrypted, from ports that are locked to it."""
    key, body = f"encrypted/{secrets.token_hex(8)}", secrets.token_bytes(settings.UPLOAD_MAX_BYTES)
    send(key, body)
    assert objects.get(key)[0] == body


def test_without_encryption_it_could_be_seen():
    """The search itself finds what lies plain: in a bucket that was not prepared."""
    client, body = objects._client(), picture()
    client.create_bucket(Bucket="plain")
    client.put_object(Bucket="plain", Key="a", Body=body)
    assert lies_plain_on_disk(body)


@pytest.mark.parametrize("asked", [{}, {"ServerSideEncryption": "aws:kms"}], ids=["nothing", "another"])
def test_what_is_put_without_it_is_denied(asked: dict[str, str]):
    with pytest.raises(ClientError) as denied:
        objects._client().put_object(Bucket=settings.S3_BUCKET, Key="a", Body=b"a", **asked)
    assert denied.value.response["Error"]["Code"] == "AccessDenied"


@pytest.mark.parametrize("asked", [None, "aws:kms"])
def test_our_form_cannot_be_stripped_of_it(asked: str | None):
    form = objects.upload_form("a", 10)
    fields = {name: value for name, value in form["fields"].items() if "encryption" not in name}
    if asked:
        fields["x-amz-server-side-encryption"] = asked
    assert httpx.post(form["url"], data=fields, files={"file": b"a"}).status_code == 403


def test_a_sites_proxy_is_not_for_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 asks the environment for a proxy, and takes a network in NO_PROXY for a name."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.0/8,::1/128")
    objects._connect(settings.S3_ENDPOINT, timeout_s=5, attempts=3).head_bucket(Bucket=settings.S3_BUCKET)


def test_a_link_stays_the_same_for_minutes_so_that_a_gallery_is_not_fetched_again(alice, monkeypatch) -> None:
    links, kept = [], django_settings.DOWNLOAD_KEPT_SECONDS
    for seconds in (0, kept - 1, kept):
        monkeypatch.setattr(time, "time", lambda seconds=seconds: 1_800_000_000 + seconds)
        links.append(objects.download_url("a key/ü.jpg", "image/jpeg", version="1"))
    assert links[0] == links[1] != links[2]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the store is asked for, each request by its range; nothing is remembered of it."""
    monkeypatch.setattr(objects, "_no_parts_until", 0.0)
    ranges_asked, connections = [], objects._connections()
    request = connections.request

    def noted(method: str, url: str, **given: Any) -> Any:
        ranges_asked.append(given.get("headers", {}).get("Range", "whole"))
        return request(method, url, **given)

    monkeypatch.setattr(connections, "request", noted)
    return ranges_asked


@pytest.fixture
def gives_parts(settings) -> None:
    """As a store does that can read parts of what it encrypts."""
    settings.S3_BUCKET = f"parts-{secrets.token_hex(8)}"
    objects._client().create_bucket(Bucket=settings.S3_BUCKET)


def without_encryption(key: str, body: bytes) -> None:
    objects._client().put_object(Bucket=settings.S3_BUCKET, Key=key, Body=body)


def test_a_part_of_an_object_is_read_alone(gives_parts, asked) -> None:
    body = picture()
    without_encryption("a", body)
    assert objects.get_range("a", 1000, 77) == body[1000:1077]
    assert ranges.read([Part("a", 5, 9), Part("a", 99_000, 10), Part("lost", 0, 1)]) == [
        body[5:14],
        body[99_000:99_010],
        None,
    ]
    assert sorted(asked) == ["bytes=0-0", "bytes=1000-1076", "bytes=5-13", "bytes=99000-99009"]
    with pytest.raises(objects.ObjectTooShort):
        ranges.read([Part("a", len(body) - 5, 10)])
    with pytest.raises(objects.ObjectMissing):
        objects.get_range("lost", 0, 1)


def test_a_store_that_cannot_give_parts_is_asked_once_a_minute_and_for_each_object_once(
    asked, monkeypatch
) -> None:
    """As SeaweedFS whose own parts speak TLS."""
    keys, body = [f"parts/{secrets.token_hex(8)}" for _ in range(3)], picture()
    for key in keys:
        objects.put(key, body, "image/jpeg")
    with pytest.raises(objects.PartsUnavailable):
        objects.get_range(keys[0], 0, 10)
    parts = [Part(key, offset, 7) for offset in (90_000, 3, 40_000) for key in keys]
    assert ranges.read(parts) == [body[part.offset : part.end] for part in parts]
    assert ranges.read([Part("lost", 0, 1)]) == [None]
    assert asked == ["bytes=0-9", *["whole"] * 4]
    with pytest.raises(objects.ObjectTooShort):
        ranges.read([Part(keys[0], len(body) - 5, 10)])
    later = time.monotonic() + settings.S3_PARTS_RETRY_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert ranges.read(parts[:1]) == [body[90_000:90_007]]
    assert asked[-2:] == ["bytes=90000-90006", "whole"]
