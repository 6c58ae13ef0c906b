"""What the programs of the running product tell Prometheus."""

import signal

import httpx
from prometheus_client.parser import text_string_to_metric_families

from infra.demo import cells


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
