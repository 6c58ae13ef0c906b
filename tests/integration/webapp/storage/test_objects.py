"""Objects lie encrypted on disk, whatever a client asks for; one that asks for nothing is denied."""

import secrets
import time
from collections.abc import Callable

import httpx
import pytest
import urllib3
from botocore.exceptions import ClientError
from django.conf import settings
from django.conf import settings as django_settings

from tests.support.plugin import HOME
from webapp.storage import objects

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


def test_a_part_of_an_object_is_read_alone() -> None:
    key, body = f"parts/{secrets.token_hex(8)}", picture()
    objects.put(key, body, "image/jpeg")
    assert objects.get_range(key, 1000, 77) == body[1000:1077]
    assert objects.get_range(key, 0, len(body)) == body
    with pytest.raises(urllib3.exceptions.HTTPError):
        objects.get_range(key, len(body) - 5, 10)
    with pytest.raises(objects.ObjectMissing):
        objects.get_range(f"{key}-not", 0, 1)
