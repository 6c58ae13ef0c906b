"""The alerts and dashboards ask for metrics that exist, and every alert has its run book."""

import json
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from infra.local.config.settings import METRICS, Settings
from infra.local.monitoring import configuration
from webapp.telemetry import metrics

ROOT = Path(__file__).parents[4]
MONITORING = ROOT / "infra" / "monitoring"
RULES = [
    rule
    for group in yaml.safe_load((MONITORING / "rules" / "hematovision.yml").read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
DASHBOARDS = {
    path.stem: json.loads(path.read_text()) for path in (MONITORING / "grafana" / "dashboards").glob("*.json")
}
QUERIES = {
    **{rule.get("alert", rule.get("record")): [rule["expr"]] for rule in RULES},
    **{
        f"{name}, {panel['title']}": [target["expr"] for target in panel["targets"]]
        for name, dashboard in DASHBOARDS.items()
        for panel in dashboard["panels"]
    },
}
NOT_OURS = {"up", "ALERTS"}
UNITS = {"s", "short", "reqps", "percentunit"}  # ids that Grafana knows; another would be shown as text


def told_metrics() -> set[str]:
    """The names of all series that the code can tell."""
    told = {rule["record"] for rule in RULES if "record" in rule} | NOT_OURS
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            name, kind = metric._name, metric._type or ""
            told |= {"counter": {f"{name}_total"}}.get(
                kind, {f"{name}_bucket", f"{name}_count", f"{name}_sum"}
            )
    state = (ROOT / "webapp" / "operations" / "metrics.py").read_text()
    return told | {f"hematovision_{name}" for name in re.findall(r'_(?:gauge|age)\(\s*"(\w+)"', state)}


@pytest.mark.parametrize("name", QUERIES)
def test_queries_are_promql_over_metrics_that_exist(name):
    known = told_metrics()
    for query in QUERIES[name]:
        promql_parser.parse(query)
        asked = set(
            re.findall(r"\b(?:hematovision[\w:]*|up|ALERTS)\b(?=[{\[)\s]|$)", re.sub(r'"[^"]*"', '""', query))
        )
        assert asked
        assert asked <= known


@pytest.mark.parametrize("name", QUERIES)
def test_queries_group_by_labels_that_metrics_have(name):
    labels = {
        metric._name: {"le", *metric._labelnames}
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
    }
    for query in QUERIES[name]:
        for grouped, metric in re.findall(
            r"by \(([\w, ]+)\) \(\w+\((\w+?)_(?:total|bucket|count|sum)\b", query
        ):
            assert set(grouped.split(", ")) <= labels[metric]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_every_alert_has_a_run_book(alert):
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    assert alert["alert"] in headings
    assert alert["annotations"]["runbook"] == f"docs/operations.md#{alert['alert'].lower()}"
    assert alert["labels"]["severity"] in ("warning", "critical")


def test_every_alert_is_tested_to_fire_and_to_be_quiet():
    tested = yaml.safe_load((MONITORING / "tests" / "hematovision.yml").read_text())["tests"]
    cases = [case for test in tested for case in test["alert_rule_test"]]
    names = {alert["alert"] for alert in ALERTS}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == names


def promtool(*arguments):
    tool = shutil.which("promtool")
    assert tool, "This needs promtool, which comes with Prometheus (Debian's package `prometheus`)."
    done = subprocess.run([tool, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_understands_configuration_and_rules():
    promtool("check", "config", MONITORING / "prometheus.yml")
    promtool("check", "rules", "--lint=all", "--lint-fatal", MONITORING / "rules" / "hematovision.yml")


def test_alerts_fire_when_they_should_and_not_before():
    promtool("test", "rules", MONITORING / "tests" / "hematovision.yml")


def test_grafana_can_provision_the_dashboards():
    (source,) = yaml.safe_load((MONITORING / "grafana/datasources/prometheus.yml").read_text())["datasources"]
    assert len({dashboard["uid"] for dashboard in DASHBOARDS.values()}) == len(DASHBOARDS)
    for dashboard in DASHBOARDS.values():
        panels = dashboard["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        for panel in panels:
            assert panel["datasource"] == {"type": source["type"], "uid": source["uid"]}
            assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
            references = [target["refId"] for target in panel["targets"]]
            assert len(set(references)) == len(references)


def test_panels_lie_beside_each_other():
    for dashboard in DASHBOARDS.values():
        places = [panel["gridPos"] for panel in dashboard["panels"]]
        assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)
        for one, other in combinations(places, 2):
            beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
            below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
            assert beside or below, (one, other)


def test_the_configuration_of_one_machine_watches_every_job_that_alerts_ask_for(tmp_path):
    settings = Settings(tmp_path / "a b")
    settings.home.mkdir()
    settings.metrics_token.write_text("a token")
    settings.prometheus.write_text(configuration(settings))
    promtool("check", "config", settings.prometheus)
    written = yaml.safe_load(settings.prometheus.read_text())
    shown = {job["authorization"]["credentials_file"] for job in written["scrape_configs"]}
    assert shown == {str(settings.metrics_token)}
    jobs = {job["job_name"]: job["static_configs"][0]["targets"] for job in written["scrape_configs"]}
    asked = {job for rule in ALERTS for job in re.findall(r'absent\(up{job="(.*?)"}\)', rule["expr"])}
    assert set(jobs) == asked
    targets = {target for job in jobs.values() for target in job}
    assert targets == {f"127.0.0.1:{settings.port(f'metrics-{name}')}" for name in METRICS}
