"""What the product tells of itself: ids in log lines, metrics, readiness, the status page."""

import datetime as dt
import signal
from collections.abc import Iterator

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import DatabaseError, connection
from django.utils import timezone
from django_scopes import scope
from prometheus_client.parser import text_string_to_metric_families

from infra.demo import cells
from serving.contract import MODEL_NAME
from tests.support.embedded import embedded_server
from tests.support.pages import add_cells, plain_static
from tests.support.tiny_model import make_version
from webapp.audit.actions import Action
from webapp.audit.models import Entry
from webapp.audit.services import record
from webapp.inference.models import Chunk, Queue
from webapp.inference.services import hand_over
from webapp.operations import health, status
from webapp.operations.certificates import remaining
from webapp.operations.metrics import installation_metrics
from webapp.outbox.models import OutboxEntry
from webapp.telemetry.context import carried, resumed

__all__ = ["plain_static"]

DAY = dt.timedelta(days=1)


@pytest.fixture
def model(settings, tmp_path) -> Iterator[None]:
    """A model server that has a model."""
    make_version(tmp_path / "models" / MODEL_NAME, 1)
    with embedded_server(tmp_path / "models") as server:
        settings.SERVING_TARGET, settings.SERVING_CHANNEL = server.target, None
        server.wait_ready()
        yield


def told() -> dict[tuple[str, str], float]:
    return {
        (sample.name.removeprefix("hematovision_"), "".join(sample.labels.values())): sample.value
        for family in installation_metrics()
        for sample in family.samples
    }


def certificate(path, ends: dt.timedelta):
    now = dt.datetime.now(dt.UTC)
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - 10 * DAY)
        .not_valid_after(now + ends)
        .sign(key, SHA256())
    )
    path.write_bytes(made.public_bytes(Encoding.PEM))
    return str(path)


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
        hand_over(case, [image.id], bulk=False)
        record(Action.IMAGES_UPLOADED, lab=alice.lab.id)
    assert OutboxEntry.objects.latest("id").context == {"request": "request-0002"}
    assert Entry.objects.latest("at").request_id == "request-0002"


def test_the_state_of_queues_trail_and_keys(alice, model, settings, tmp_path):
    case = alice.case()
    with scope(lab=alice.lab):
        Chunk.objects.create(lab=alice.lab, case=case, queue=Queue.INTERACTIVE)
        Chunk.objects.create(lab=alice.lab, case=case, queue=Queue.BULK, state=Chunk.State.DEAD)
    record(Action.AUDIT_ANCHORED, lab=None)
    record(Action.AUDIT_VERIFIED, lab=None)
    path = certificate(tmp_path / "web.pem", ends=20 * DAY)
    settings.WATCHED_CERTIFICATES = [path, "127.0.0.1:1"]
    now = told()
    assert {now["service_up", name] for name in ("database", "storage", "broker", "model")} == {1}
    assert (now["chunks_waiting", "interactive"], now["chunks_waiting", "bulk"]) == (1, 0)
    assert 0 <= now["images_waiting_oldest_seconds", "interactive"] < 60
    assert now["dead_letters", ""] == 1
    assert (now["outbox_waiting", "bulk"], now["broker_waiting", "bulk"]) == (0, 0)
    assert 0 <= now["audit_anchor_age_seconds", ""] < 60
    assert ("backup_age_seconds", "") not in now
    assert (now["audit_whole", ""], now["audit_verified_age_seconds", ""] < 60) == (1, True)
    assert now["data_key_age_seconds", ""] >= 0
    assert 19 * 86400 < now["certificate_remaining_seconds", path] < 20 * 86400
    assert ("certificate_remaining_seconds", "127.0.0.1:1") not in now  # it is away, which others tell
    record(Action.AUDIT_BROKEN, lab=None)
    record(Action.BACKUP_MADE, lab=None, subject="a", after={"objects": 1})
    now = told()
    assert now["audit_whole", ""] == 0
    assert 0 <= now["backup_age_seconds", ""] < 60


def test_a_trail_that_was_never_anchored_is_as_old_as_the_installation(db, monkeypatch):
    assert ("audit_anchor_age_seconds", "") not in told()
    record(Action.SIGNED_IN, lab=None)
    later = timezone.now() + 3 * DAY
    monkeypatch.setattr(timezone, "now", lambda: later)
    now = told()
    assert now["audit_anchor_age_seconds", ""] == pytest.approx(3 * 86400, abs=60)
    assert now["audit_verified_age_seconds", ""] == pytest.approx(3 * 86400, abs=60)
    assert ("audit_whole", "") not in now


def test_without_the_broker_the_rest_is_told(db, settings):
    settings.BROKER_URL = "redis://127.0.0.1:1/0"
    now = told()
    assert now["service_up", "broker"] == 0
    assert ("broker_waiting", "bulk") not in now
    assert now["dead_letters", ""] == 0


def test_not_ready_with_an_expired_certificate(client, db, settings, tmp_path):
    settings.WATCHED_CERTIFICATES = [certificate(tmp_path / "old.pem", ends=-DAY)]
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["certificates"] == "failed: old.pem has expired or cannot be read"


def test_not_ready_before_the_database_is_as_the_release_needs_it(client, db, monkeypatch):
    monkeypatch.setattr(health, "_migrated", False)
    assert client.get("/readyz").json()["migrations"] == "ok"
    monkeypatch.setattr(health, "_migrated", False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'outbox' AND name LIKE '0002%'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["migrations"] == "failed: 1 migrations are pending"


def test_a_certificate_that_is_served_is_watched_by_its_address(tmp_path):
    assert remaining("127.0.0.1:1") is None
    assert remaining("nowhere/at/all.pem") == 0


def shown(client) -> tuple[int, str]:
    answer = client.get("/status/")
    return answer.status_code, " ".join(answer.content.decode().split())


@pytest.mark.usefixtures("plain_static")
class TestStatusPage:
    @pytest.fixture(autouse=True)
    def always_asked_anew(self, settings):
        settings.STATUS_KEPT_SECONDS = -1.0

    def test_all_is_well(self, client, db, model):
        code, page = shown(client)
        assert code == 200
        assert "Everything works" in page
        assert "No image waits" in page

    def test_images_that_wait_are_told_of(self, alice, client):
        with scope(lab=alice.lab):
            Chunk.objects.create(lab=alice.lab, case=alice.case(), queue=Queue.INTERACTIVE)
            Chunk.objects.update(created_at=Chunk.objects.get().created_at - dt.timedelta(minutes=7))
        _, page = shown(client)
        assert "<h1>Images wait</h1>" in page
        assert "the oldest for 7" in page

    def test_a_model_that_is_away_is_said_in_plain_words(self, client, db, settings):
        settings.SERVING_TARGET = "127.0.0.1:1"
        code, page = shown(client)
        assert code == 200
        assert page.count("Does not work") == 1
        assert "Uploaded images are kept" in page
        assert "127.0.0.1" not in page
        assert "grpc" not in page.lower()

    def test_it_answers_whoever_asks_while_the_database_is_away(self, alice, monkeypatch):
        browser = alice.browser

        def away():
            raise DatabaseError

        monkeypatch.setattr(health, "_database", away)
        monkeypatch.setattr(status, "_waiting_since", lambda: None)
        code, page = shown(browser)
        assert code == 503
        assert page.count("Does not work") == 3

    def test_nobody_is_looked_up_for_it(self, alice, monkeypatch, django_assert_num_queries):
        now = status.current()
        monkeypatch.setattr(status, "current", lambda: now)
        browser = alice.browser
        with django_assert_num_queries(0):
            shown(browser)


def scraped(stack, program: str) -> dict[str, float]:
    """What a program of the stack tells: sums by name over all labels."""
    port = stack.stack.settings.port(f"metrics-{program}")
    sums: dict[str, float] = {}
    token = stack.stack.settings.metrics_token.read_text()
    headers = {"Authorization": f"Bearer {token}"}
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", headers=headers, timeout=10).raise_for_status().text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0) + sample.value
    return sums


def test_web_processes_count_together(stack):
    before = scraped(stack, "web")["hematovision_http_request_seconds_count"]
    for _ in range(20):
        httpx.get(f"{stack.url}/healthz")
    assert scraped(stack, "web")["hematovision_http_request_seconds_count"] - before == 20
    assert httpx.get(f"{stack.url}/metrics").status_code == 404


def test_the_relay_tells_the_state_of_the_installation(stack):
    found = scraped(stack, "relay")
    assert found["hematovision_service_up"] == 4
    assert "hematovision_images_waiting_oldest_seconds" in found


def test_a_database_that_hangs_is_told_before_prometheus_gives_up(stack):
    stack.kill("postgres", signal.SIGSTOP)
    try:
        found = scraped(stack, "relay")
    finally:
        stack.kill("postgres", signal.SIGCONT)
    assert found["hematovision_service_up"] == 3
    assert "hematovision_dead_letters" not in found


def test_an_image_is_followed_from_the_request_to_the_result(stack, tmp_path):
    (picture,) = cells.write(tmp_path, per_class=1, seed=5)[:1]
    stack.stop("worker-interactive")
    stack.start("worker-interactive")  # it forgets what it counted
    with stack.client() as client:
        case = client.open_case("TRACED")
        client.upload(case, [picture])
        client.wait(case.id)
    found = scraped(stack, "worker-interactive")
    assert found["hematovision_image_seconds_count"] == 1
    assert found["hematovision_model_images_sum"] == 1
    assert found["hematovision_confidence_count"] == 1
    assert found["hematovision_task_seconds_count"] >= 1
