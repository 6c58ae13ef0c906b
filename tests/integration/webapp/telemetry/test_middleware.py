"""A request is known by its id: in its answer, in the trail, in its tasks."""

from django_scopes import scope

from tests.support.pages import add_cells
from webapp.audit.actions import Action
from webapp.audit.models import Entry
from webapp.audit.services import record
from webapp.inference.services import enqueue_images
from webapp.outbox.models import OutboxEntry
from webapp.telemetry.context import carried, resumed


def test_an_answer_names_its_request(client, db):
    assert len(client.get("/healthz").headers["X-Request-ID"]) == 32
    kept = client.get("/healthz", headers={"X-Request-ID": "from-a-proxy:1"})
    assert kept.headers["X-Request-ID"] == "from-a-proxy:1"
    for bad in ("short", "x" * 65, "with blank and \u00e9", "a\tb\tc\td\te"):
        answer = client.get("/healthz", headers={"X-Request-ID": bad})
        assert answer.headers["X-Request-ID"] != bad


def test_a_request_is_known_by_its_id_in_the_trail_and_in_its_tasks(alice):
    headers = {"X-Request-ID": "request-0001"}
    assert alice.api.post("/api/v1/cases/", {"accession": "R-1"}, headers=headers).status_code in (201, 415)
    case = alice.case("R-2")
    with scope(lab=alice.lab), resumed({"request": "request-0002"}):
        assert carried() == {"request": "request-0002"}
        (image,) = add_cells(alice, case, "neutrophil", 0.9)
        enqueue_images(case, [image.id], bulk=False)
        record(Action.IMAGES_UPLOADED, lab=alice.lab.id)
    assert OutboxEntry.objects.latest("id").context == {"request": "request-0002"}
    assert Entry.objects.latest("at").request_id == "request-0002"
