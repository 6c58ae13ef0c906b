"""The alerts and dashboards in a real Prometheus that watches the real product: `make monitoring-test`."""

import json
import math
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from infra.client.client import Case, Client
from infra.client.limits import MANY
from infra.demo import cells
from infra.local.monitoring import RULES

DASHBOARDS = RULES.parent / "grafana" / "dashboards"
PANELS = [
    pytest.param(panel, id=f"{path.stem}, {panel['title']}")
    for path in DASHBOARDS.glob("*.json")
    for panel in json.loads(path.read_text())["panels"]
]
NOTHING_HERE = (
    "hematovision_backup_age_seconds",  # the test makes no backup
    "hematovision_events_failed_total",  # nor does an event fail
)


class Prometheus:
    """Asks a running Prometheus."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def ready(self) -> bool:
        try:
            return self._http.get("/-/ready").is_success
        except httpx.TransportError:
            return False

    def query(self, query: str) -> list[dict[str, Any]]:
        answer = self._http.get("/api/v1/query", params={"query": query}).json()
        assert answer["status"] == "success", answer
        series: list[dict[str, Any]] = answer["data"]["result"]
        return series

    def numbers(self, query: str) -> list[float]:
        """Values that a query gives, without those that are not a number."""
        values = [float(series["value"][1]) for series in self.query(query)]
        return [value for value in values if not math.isnan(value)]

    def rules(self) -> list[dict[str, Any]]:
        groups = self._http.get("/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def firing(self, alert: str, **labels: str) -> bool:
        wanted = {"alertname": alert, "alertstate": "firing", **labels}
        return any(wanted.items() <= series["metric"].items() for series in self.query("ALERTS"))


def eventually(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.5)


@pytest.fixture(scope="module")
def prometheus(stack, tmp_path_factory) -> Iterator[Prometheus]:
    """With the configuration that the stack wrote, in a hurry: seconds where it has minutes."""
    server = shutil.which("prometheus")
    assert server, "This needs Prometheus (Debian's package `prometheus`)."
    folder: Path = tmp_path_factory.mktemp("prometheus")
    configuration = yaml.safe_load(stack.stack.settings.prometheus.read_text())
    (pattern,) = configuration["rule_files"]
    for path in Path(pattern).parent.glob("*.yml"):
        rules = yaml.safe_load(path.read_text())
        for rule in [rule for group in rules["groups"] for rule in group["rules"] if "for" in rule]:
            rule["for"] = "2s"
        (folder / path.name).write_text(yaml.safe_dump(rules))
    configuration |= {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "*.yml")],
    }
    (folder / "given.yaml").write_text(yaml.safe_dump(configuration))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    process = subprocess.Popen(
        [
            server,
            f"--config.file={folder / 'given.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--log.level=warn",
        ]
    )
    try:
        with httpx.Client(base_url=f"http://{address}") as http:
            asked = Prometheus(http)
            eventually(asked.ready)
            yield asked
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> list[Path]:
    return cells.write(tmp_path_factory.mktemp("cells"), per_class=14, seed=5)


@pytest.fixture
def member(stack) -> Iterator[Client]:
    with stack.client() as client:
        yield client


def classify(client: Client, accession: str, pictures: list[Path]) -> None:
    case = client.open_case(accession)
    client.upload(case, pictures)
    client.wait(case.id)


def put_chunk(stack, case: Case, **values: str) -> None:
    """Into the running product's database, behind its back."""
    code = f"""
from django_scopes import scopes_disabled
from webapp.cases.models import Case
from webapp.inference.models import Chunk
with scopes_disabled():
    case = Case.objects.get(id="{case.id}")
    chunk = Chunk.objects.create(lab=case.lab, case=case, queue="interactive")
    Chunk.objects.filter(id=chunk.id).update(**{values})
"""
    stack.stack.manage("shell", "-c", code)


def put_entry(stack, action: str) -> None:
    code = f"""
from webapp.audit.actions import Action
from webapp.audit.services import record
record(Action.{action}, lab=None)
"""
    stack.stack.manage("shell", "-c", code)


def test_images_go_through_before_anything_happens(prometheus, member, pictures):
    assert len(pictures) >= MANY  # the bulk queue's
    for number in range(2):  # what is counted once has no rate yet
        classify(member, f"few {number}", pictures[:16])
        classify(member, f"many {number}", pictures)
        time.sleep(3)
    assert {rule["health"] for rule in prometheus.rules()} == {"ok"}
    eventually(lambda: not prometheus.firing("ProgramDown"))


def test_a_service_away_is_told(stack, prometheus, member, pictures):
    stack.stop("serving")
    try:
        case = member.open_case("while the model is away")
        member.upload(case, pictures[:1])
        eventually(lambda: prometheus.firing("ServiceDown", service="model"))
        eventually(lambda: prometheus.numbers("hematovision_model_failures_total"))
    finally:
        stack.start("serving")
    member.wait(case.id)
    eventually(lambda: not prometheus.firing("ServiceDown"))


def test_a_program_away_is_told(stack, prometheus):
    stack.stop("relay")
    try:
        eventually(lambda: prometheus.firing("ProgramDown", job="hematovision-relay"))
    finally:
        stack.start("relay")
    eventually(lambda: not prometheus.firing("ProgramDown"))


def test_dead_letters_are_told(stack, prometheus, member):
    put_chunk(stack, member.open_case("dead"), state="dead")
    eventually(lambda: prometheus.firing("DeadLetters"))


def test_images_that_wait_are_told(stack, prometheus, member):
    workers = ("worker-interactive", "worker-bulk", "worker-events")
    for worker in workers:
        stack.stop(worker)
    try:
        put_chunk(stack, member.open_case("waits"), created_at="2026-01-01T00:00Z")
        eventually(lambda: prometheus.firing("QueueOld", queue="interactive"))
        assert prometheus.firing("ProgramDown", job="hematovision-worker")
    finally:
        for worker in workers:
            stack.start(worker)
    eventually(lambda: not prometheus.firing("ProgramDown"))


def test_a_stopped_schedule_is_told(stack, prometheus):
    (query,) = [rule["query"] for rule in prometheus.rules() if rule["name"] == "NothingScheduled"]
    eventually(lambda: not prometheus.query(query))
    stack.stop("beat")
    try:
        eventually(lambda: prometheus.query(query.replace("[10m]", "[15s]")))
    finally:
        stack.start("beat")


def test_a_broken_trail_is_told(stack, prometheus):
    put_entry(stack, "AUDIT_BROKEN")
    eventually(lambda: prometheus.firing("AuditTrailBroken"))
    put_entry(stack, "AUDIT_VERIFIED")
    eventually(lambda: not prometheus.firing("AuditTrailBroken"))


def test_error_pages_are_told(stack, prometheus):
    stack.stop("postgres")
    try:
        for _ in range(2):
            for _ in range(12):
                assert httpx.get(f"{stack.url}/accounts/login/").status_code == 500
            time.sleep(2)
        eventually(lambda: prometheus.firing("ErrorBudgetBurnsFast"))
    finally:
        stack.start("postgres")


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_shows_something(prometheus, panel):
    for target in panel["targets"]:
        if any(figure in target["expr"] for figure in NOTHING_HERE):
            assert not prometheus.query(target["expr"])
        else:
            assert prometheus.numbers(target["expr"]), target["expr"]
