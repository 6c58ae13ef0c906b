"""Files as they come, through the whole running stack: each bad one has its reason, and the rest go on."""

import html
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import httpx
import numpy as np
import pytest
from PIL import ExifTags, Image

from infra.client.client import Client
from infra.demo.cells import draw


@pytest.fixture(scope="module")
def cells() -> list[Image.Image]:
    return [draw("neutrophil", seed=seed) for seed in range(12)]


def encoded(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def exif_turned(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return encoded(image.transpose(Image.Transpose.ROTATE_90), exif=exif)


def grey16(image: Image.Image) -> bytes:
    return encoded(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 256), "PNG")


def huge_png() -> bytes:
    return encoded(Image.new("1", (30_000, 30_000)), "PNG")


REFUSED: dict[str, tuple[Callable[[list[Image.Image]], bytes], str]] = {
    "empty.jpg": (lambda cells: b"", "empty"),
    "text.jpg": (lambda cells: b"this is a letter, not a cell\n" * 20, "not_an_image"),
    "truncated.jpg": (lambda cells: encoded(cells[0])[:4000], "damaged"),
    "huge.png": (lambda cells: huge_png(), "too_many_pixels"),
    "grey16.png": (lambda cells: grey16(cells[1]), "no_colour"),
    "animated.webp": (
        lambda cells: encoded(cells[2], "WEBP", save_all=True, append_images=[cells[3]]),
        "several_pictures",
    ),
    "letter.docx": (lambda cells: b"PK\x03\x04", "unsupported_type"),
}
TAKEN: dict[str, Callable[[list[Image.Image]], bytes]] = {
    "plain.jpg": lambda cells: encoded(cells[4]),
    "png-inside.jpg": lambda cells: encoded(cells[5], "PNG"),  # the content decides, not the name
    "cmyk.jpg": lambda cells: encoded(cells[6].convert("CMYK")),
    "palette-alpha.png": lambda cells: encoded(
        cells[7].convert("RGBA").quantize(200, method=Image.Quantize.FASTOCTREE), "PNG"
    ),
    "turned.jpg": lambda cells: exif_turned(cells[8].crop((0, 0, 360, 300))),
    "../../etc/passwd.tif": lambda cells: encoded(cells[9], "TIFF"),
    "\"quoted\" 'cell' 🩸.bmp": lambda cells: encoded(cells[10], "BMP"),
    "x" * 300 + ".webp": lambda cells: encoded(cells[11], "WEBP"),
}


UPLOADS_FOLDER = Path(__file__).parents[4] / "shared" / "cases" / "uploads"
UPLOADS = sorted(UPLOADS_FOLDER.glob("*"))


class Desk:
    """A technician of a lab of their own, at the running stack."""

    def __init__(self, url: str, member: dict[str, str], client: Client) -> None:
        self.url, self.member, self.client = url, member, client

    def post(
        self, path: str, json: object = None, files: Mapping[str, tuple[str, bytes]] | None = None
    ) -> Any:
        response = httpx.post(
            f"{self.url}/api/v1/{path}",
            headers={"Authorization": f"Bearer {self.member['token']}"},
            timeout=60,
            json=json,
            files=files,
        )
        assert response.is_success, response.text
        return response.json()

    def page(self, path: str) -> str:
        with httpx.Client(base_url=self.url, follow_redirects=True) as browser:
            browser.get(f"/accounts/login/?next={path}")
            answer = browser.post(
                f"/accounts/login/?next={path}",
                data={
                    "login": self.member["email"],
                    "password": self.member["password"],
                    "csrfmiddlewaretoken": next(
                        value for name, value in browser.cookies.items() if "csrftoken" in name
                    ),
                },
                headers={"Referer": self.url},
            )
            assert answer.status_code == 200
            return html.unescape(answer.text)


@pytest.fixture(scope="module")
def desk(stack) -> Iterator[Desk]:
    member = stack.new_lab()["technician"]
    with Client(stack.url, member["token"]) as client:
        yield Desk(stack.url, member, client)


@pytest.fixture(scope="module")
def outcome(desk, cells) -> dict[str, dict[str, Any]]:
    """All of it in one case: each image's row by the name of its upload, the case's id under ``""``."""
    case = desk.client.open_case("bad input")
    contents = {name: make(cells) for name, (make, _) in REFUSED.items()} | {
        name: make(cells) for name, make in TAKEN.items()
    }
    files = [{"name": name, "size": len(content)} for name, content in contents.items()]
    uploads = desk.post(f"cases/{case.id}/uploads/", json={"files": files})["uploads"]
    for upload, content in zip(uploads, contents.values(), strict=True):
        if upload["url"]:
            httpx.post(upload["url"], data=upload["fields"], files={"file": content}).raise_for_status()
    desk.post(f"cases/{case.id}/uploads/complete/", json={"ids": [upload["id"] for upload in uploads]})
    done = desk.client.wait(case.id)
    rows = {row["id"]: row for row in desk.client.images(case.id)}
    assert done.progress["classified"] == len(TAKEN), list(rows.values())
    return {"": case.id} | {name: rows[upload["id"]] for name, upload in zip(contents, uploads, strict=True)}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_its_reason(outcome, name):
    row = outcome[name]
    assert row["status"] == "refused"
    assert row["reason"]["code"] == REFUSED[name][1]
    assert len(row["reason"]["message"]) > 20


@pytest.mark.parametrize("name", TAKEN)
def test_taken_beside_them(outcome, name):
    row = outcome[name]
    assert row["status"] == "classified"
    assert 0 < row["confidence"] <= 1
    assert "/" not in row["name"]
    assert len(row["name"]) <= 255


@pytest.mark.skipif(not UPLOADS, reason=f"there is no {UPLOADS_FOLDER}")
def test_files_that_went_wrong_in_use_are_classified(desk):
    case = desk.client.open_case("wrong in use")
    files = [{"name": f"{path.stem}.tif", "size": path.stat().st_size} for path in UPLOADS]
    uploads = desk.post(f"cases/{case.id}/uploads/", json={"files": files})["uploads"]
    for upload, path in zip(uploads, UPLOADS, strict=True):
        content = {"file": path.read_bytes()}
        httpx.post(upload["url"], data=upload["fields"], files=content).raise_for_status()
    desk.post(f"cases/{case.id}/uploads/complete/", json={"ids": [upload["id"] for upload in uploads]})
    assert desk.client.wait(case.id).progress["classified"] == len(UPLOADS)


def test_turned_upright(outcome):
    assert (outcome["turned.jpg"]["width"], outcome["turned.jpg"]["height"]) == (360, 300)


def test_the_page_shows_every_reason(desk, outcome):
    page = desk.page(f"/cases/{outcome['']}/")
    for name in REFUSED:
        assert name in page
        assert outcome[name]["reason"]["message"] in page


def test_over_the_size_bound(desk):
    case = desk.client.open_case("large")
    too_large = 20 * 1024 * 1024 + 1
    declared = desk.post(f"cases/{case.id}/uploads/", json={"files": [{"name": "a.tif", "size": too_large}]})
    assert declared["uploads"][0]["refused"]["code"] == "too_large"
    # One that lies about its size is stopped by the store, and then shows as never uploaded.
    (upload,) = desk.post(f"cases/{case.id}/uploads/", json={"files": [{"name": "b.tif", "size": 5}]})[
        "uploads"
    ]
    answer = httpx.post(upload["url"], data=upload["fields"], files={"file": bytes(too_large)}, timeout=60)
    assert answer.status_code in (400, 413)
    desk.post(f"cases/{case.id}/uploads/complete/", json={"ids": [upload["id"]]})
    desk.client.wait(case.id)
    rows = {row["name"]: row["reason"]["code"] for row in desk.client.images(case.id)}
    assert rows == {"a.tif": "too_large", "b.tif": "not_uploaded"}


def test_the_same_image_twice_is_kept_once(desk, cells):
    case = desk.client.open_case("twice")
    content = encoded(cells[0])
    for name, already in (("first.jpg", False), ("second.jpg", True)):
        (row,) = desk.post(f"cases/{case.id}/images/", files={"files": (name, content)})
        assert (row["name"], row["already"]) == ("first.jpg", already)
        desk.client.wait(case.id)
    assert [row["status"] for row in desk.client.images(case.id)] == ["classified"]


def test_an_object_deleted_before_it_is_fetched(stack, desk, cells):
    case = desk.client.open_case("deleted")
    content = encoded(cells[0])
    files = [{"name": name, "size": len(content)} for name in ("gone.jpg", "there.jpg")]
    uploads = desk.post(f"cases/{case.id}/uploads/", json={"files": files})["uploads"]
    for upload in uploads:
        httpx.post(upload["url"], data=upload["fields"], files={"file": content}).raise_for_status()
    delete_object(stack.environment, uploads[0]["fields"]["key"])
    ids = [upload["id"] for upload in uploads]
    assert desk.post(f"cases/{case.id}/uploads/complete/", json={"ids": ids})["accepted"] == 2
    desk.client.wait(case.id)
    assert {row["name"]: (row["reason"] or {}).get("code") for row in desk.client.images(case.id)} == {
        "gone.jpg": "not_uploaded",
        "there.jpg": None,
    }


def delete_object(environment: Mapping[str, str], key: str) -> None:
    store = boto3.client(
        "s3",
        endpoint_url=environment["HEMATOVISION_S3_ENDPOINT"],
        aws_access_key_id=environment["HEMATOVISION_S3_ACCESS_KEY"],
        aws_secret_access_key=environment["HEMATOVISION_S3_SECRET_KEY"],
        region_name="us-east-1",
    )
    store.delete_object(Bucket=environment["HEMATOVISION_S3_BUCKET"], Key=key)
