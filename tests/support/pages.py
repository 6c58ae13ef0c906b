"""What tests of pages need: static files without a build, and cells as the workers leave them."""

import uuid

import numpy as np
import numpy.typing as npt
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_scopes import scope
from pytest_django import Settings

from serving.contract import CELL_LABELS, MODEL_NAME
from serving.contract.sentence import Sentence
from tests.support.people import Person
from webapp.cases.models import Case, Cell, Image, TilePack
from webapp.cases.processing import settle
from webapp.inference.models import Chunk, ChunkImage, Prediction
from webapp.outbox.queues import Queue
from webapp.registry.models import ModelVersion
from webapp.storage import objects
from workers.tile_pack import tile_pack

GRID = 7


@pytest.fixture
def plain_static(settings: Settings) -> None:
    """Pages name static files as they lie in the source, so no collected copies are needed."""
    plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": plain}}


def add_cells(
    person: Person,
    case: Case,
    cell_class: str,
    *confidences: float,
    flagged: bool = False,
    distance: float | None = 0.3,
) -> list[Image]:
    """Put one chunk of classified images of one cell into `case`, in the order of `confidences`."""
    with scope(lab=person.lab):
        version, _ = ModelVersion.objects.get_or_create(
            name=MODEL_NAME,
            version=1,
            defaults={"labels": list(CELL_LABELS), "review_threshold": 0.6, "info": {}},
        )
        chunk = Chunk.objects.create(lab=person.lab, case=case, queue=Queue.BULK, state=Chunk.State.DONE)
        images = Image.objects.bulk_create(
            Image(
                lab=person.lab,
                case=case,
                name=f"{cell_class}-{place}.jpg",
                key=uuid.uuid4().hex,
                status=Image.Status.CLASSIFIED,
                bytes=1,
                width=360,
                height=363,
                sha256=uuid.uuid4().bytes,
            )
            for place in range(len(confidences))
        )
        ChunkImage.objects.bulk_create(ChunkImage(image=image, chunk=chunk) for image in images)
        pack, spans = tile_pack([flat(place) for place in range(len(images))])
        key = f"tests/{uuid.uuid4().hex}"
        objects.put(key, pack, "application/octet-stream")
        stored = TilePack.objects.create(lab=person.lab, case=case, key=key)
        cells = Cell.objects.bulk_create(
            Cell(
                image=image,
                number=0,
                left=0,
                top=0,
                width=360,
                height=363,
                pack=stored,
                tile_offset=span.offset,
                tile_length=span.length,
            )
            for image, span in zip(images, spans, strict=True)
        )
        evidence = np.zeros((GRID, GRID, len(CELL_LABELS)), "<f2").tobytes()
        Prediction.objects.bulk_create(
            Prediction(
                cell=cell,
                model_version=version,
                cell_class=cell_class,
                confidence=confidence,
                flagged=flagged,
                probabilities=_probabilities(cell_class, confidence),
                evidence=evidence,
                evidence_grid=GRID,
                embedding=b"",
                distance=distance,
            )
            for cell, confidence in zip(cells, confidences, strict=True)
        )
        settle(case.id)
    return images


def cell_of(image: Image) -> Cell:
    """The one cell of a picture."""
    return Cell._base_manager.get(image=image)


def flat(place: int) -> npt.NDArray[np.uint8]:
    """A tile of one colour, another for each place up to 255."""
    return np.full((224, 224, 3), (place % 16 * 16, place // 16 * 16, 100), np.uint8)


def add_unusable(person: Person, case: Case, status: Image.Status, n: int = 1) -> None:
    """Put refused or failed files into `case`, each with a reason."""
    with scope(lab=person.lab):
        Image.objects.bulk_create(
            Image(
                lab=person.lab,
                case=case,
                name=f"{status}-{place}.jpg",
                key=uuid.uuid4().hex,
                status=status,
                reason=Sentence("The image is damaged."),
                bytes=1,
            )
            for place in range(n)
        )
        settle(case.id)


def _probabilities(cell_class: str, confidence: float) -> list[float]:
    rest = (1 - confidence) / (len(CELL_LABELS) - 1)
    return [confidence if label == cell_class else rest for label in CELL_LABELS]


def queries(client: Client, path: str) -> int:
    """How many queries showing a page costs."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def page_of(person: Person, name: str, *arguments: object, **query: str) -> str:
    """The page of that name, as `person` sees it."""
    return person.browser.get(reverse(f"ui:{name}", args=arguments), query).content.decode()
