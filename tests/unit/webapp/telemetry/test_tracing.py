"""Traces: what begins one, what is recorded, what goes along, and that nothing happens where they are off."""

import logging
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

from webapp.telemetry import otlp, tracing
from webapp.telemetry.context import carried, in_threads, resumed
from webapp.telemetry.middleware import RequestMiddleware

THEIRS = f"00-{'a' * 32}-{'b' * 16}-01"
SECRET = "s3cret-of-an-invitation"


@pytest.fixture(params=[ALWAYS_ON])
def spans(request, settings, monkeypatch):
    """What was recorded, by name."""
    kept = InMemorySpanExporter()
    provider = TracerProvider(sampler=request.param)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    monkeypatch.setattr(otlp, "set_up", lambda: None)
    settings.TRACES_ENDPOINT = "http://127.0.0.1:1"
    return lambda: {span.name: span for span in kept.get_finished_spans()}


never = pytest.mark.parametrize("spans", [ALWAYS_OFF], indirect=True)


def ask(view=lambda request: HttpResponse(), path=f"/invitations/{SECRET}/", **headers):
    def get_response(request):
        request.resolver_match = SimpleNamespace(route="invitations/<str:secret>/", view_name="ui:invitation")
        return view(request)

    return RequestMiddleware(get_response)(RequestFactory().get(path, headers=headers))


def test_a_request_is_told_by_its_route_and_never_by_its_path(spans):
    ask()
    (found,) = spans().values()
    assert found.name == "GET /invitations/<str:secret>/"
    assert found.kind.name == "SERVER"
    assert dict(found.attributes) == {
        "http.request.method": "GET",
        "http.route": "/invitations/<str:secret>/",
        "http.response.status_code": 200,
        "url.scheme": "http",
    }
    assert SECRET not in found.to_json()


def test_a_strangers_trace_is_linked_and_not_continued(spans):
    ask(traceparent=THEIRS, tracestate="patient=erika")
    (found,) = spans().values()
    assert found.parent is None
    assert found.context.trace_id != int("a" * 32, 16)
    assert [link.context.trace_id for link in found.links] == [int("a" * 32, 16)]
    assert "erika" not in found.to_json()


@pytest.mark.parametrize("broken", ["", "nonsense", f"00-{'0' * 32}-{'b' * 16}-01"])
def test_a_strangers_nonsense_is_ignored(spans, broken):
    ask(traceparent=broken)
    (found,) = spans().values()
    assert not found.links


@never
def test_a_stranger_cannot_have_anything_recorded(spans):
    ask(lambda request: HttpResponse(str(carried())), traceparent=THEIRS)
    assert not spans()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/ui/page.css"])
def test_what_machines_ask_for_again_and_again_is_left_out(spans, path):
    ask(path=path)
    assert not spans()


def test_an_error_is_told_by_its_class_alone(spans):
    def view(request):
        with pytest.raises(ValueError, match="Erika"), tracing.span("step"):
            raise ValueError("Erika Mustermann")
        return HttpResponse(status=500)

    ask(view)
    step, request = spans()["step"], spans()["GET /invitations/<str:secret>/"]
    assert step.attributes["error.type"] == "ValueError"
    assert (step.status.status_code.name, request.status.status_code.name) == ("ERROR", "ERROR")
    assert not step.events
    assert "Erika" not in step.to_json()


def test_outside_a_request_nothing_is_recorded(spans):
    with tracing.span("alone"):
        tracing.describe({"a": 1})
    with resumed({"request": "request-1"}), tracing.message("process", "bulk", "classify_chunk"):
        assert carried() == {"request": "request-1"}
    assert not spans()


def test_work_that_is_put_off_stays_in_its_trace(spans):
    kept = {}
    ask(lambda request: HttpResponse(str(kept.update(carried()))))
    with resumed(kept), tracing.message("send", "bulk", "classify_chunk"):
        pass
    request, sent = spans()["GET /invitations/<str:secret>/"], spans()["send bulk"]
    assert sent.parent.span_id == request.context.span_id
    assert sent.context.trace_id == request.context.trace_id
    assert sent.kind.name == "PRODUCER"


def test_other_threads_work_in_the_same_trace(spans):
    def step(number):
        with tracing.span(f"step {number}"):
            return carried()["request"]

    def view(request):
        with ThreadPoolExecutor(2) as threads:
            assert set(threads.map(in_threads(step), range(4))) == {"request-1"}
        return HttpResponse()

    ask(view, **{"X-Request-ID": "request-1"})
    assert len({span.context.trace_id for span in spans().values()}) == 1
    assert len(spans()) == 5


def test_log_lines_name_the_trace(spans):
    def view(request):
        return HttpResponse(tracing.name_trace(None, "info", {})["trace"])

    told = ask(view).content.decode()
    (found,) = spans().values()
    assert told == f"{found.context.trace_id:032x}"
    assert tracing.name_trace(None, "info", {}) == {}


def test_lines_about_a_collector_that_is_away_are_rare():
    rate_limited = tracing.RateLimitFilter()
    line = logging.makeLogRecord({})
    assert [rate_limited.filter(line) for _ in range(3)] == [True, False, False]


def test_the_library_logs_through_that():
    kept = logging.getLogger("opentelemetry")
    assert [type(one) for handler in kept.handlers for one in handler.filters] == [tracing.RateLimitFilter]
    assert not kept.propagate


def python(code: str, *, cwd) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, timeout=100)


WITHOUT_SDK = "import sys; sys.modules |= {f'opentelemetry.{part}': None for part in ('exporter', 'sdk')}"
IMPORTS = "import sys, workers.relay, workers.tasks, webapp.config.wsgi"


def test_off_means_that_nothing_of_it_is_loaded(pytestconfig):
    # But by redis-py, which loads the part for metrics where it is installed, and uses it only when told to.
    code = f"{IMPORTS}; print([name for name in sys.modules if 'otlp' in name or 'sdk.trace' in name])"
    done = python(code, cwd=pytestconfig.rootpath)
    assert done.stdout == "[]\n", done.stderr


def test_off_means_that_nothing_is_recorded_or_goes_along():
    def view(request):
        with tracing.span("step"):
            tracing.describe({"a": 1}, failure="ValueError")
            return HttpResponse(str({**carried(), **tracing.name_trace(None, "info", {})}))

    assert (
        ask(view, traceparent=THEIRS, **{"X-Request-ID": "request-1"}).content == b"{'request': 'request-1'}"
    )


def test_off_means_that_what_sends_need_not_be_installed(pytestconfig):
    done = python(f"{WITHOUT_SDK}; {IMPORTS}", cwd=pytestconfig.rootpath)
    assert done.returncode == 0, done.stderr


def test_without_its_packages_the_start_stops_with_one_line(pytestconfig, monkeypatch):
    monkeypatch.setenv("HEMATOVISION_TRACES_ENDPOINT", "http://127.0.0.1:4318")
    done = python(f"{WITHOUT_SDK}; import workers", cwd=pytestconfig.rootpath)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "HEMATOVISION_TRACES_ENDPOINT needs packages" in line
    assert "--extra tracing" in line


def test_one_module_sends_and_others_use_the_api(pytestconfig):
    root = pytestconfig.rootpath
    sends = re.compile(r"^\s*(from|import) opentelemetry\.(sdk|exporter)\b", re.MULTILINE)
    found = {
        str(path.relative_to(root))
        for package in ("infra", "serving", "training", "webapp", "workers")
        for path in (root / package).rglob("*.py")
        if sends.search(path.read_text())
    }
    assert found == {"webapp/telemetry/otlp.py"}
