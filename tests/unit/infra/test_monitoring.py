"""The alerts and dashboards ask for figures that exist, and every alert has its run book."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import promql_parser
import pytest
import yaml

ROOT = Path(__file__).parents[3]
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
NOT_OURS = {"up"}


def figures() -> set[str]:
    """The names of all series that the code can tell."""
    from prometheus_client.metrics import MetricWrapperBase

    from webapp.telemetry import metrics

    told = {rule["record"] for rule in RULES if "record" in rule} | NOT_OURS
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            name, kind = metric._name, metric._type
            told |= {"counter": {f"{name}_total"}}.get(
                kind, {f"{name}_bucket", f"{name}_count", f"{name}_sum"}
            )
    state = (ROOT / "webapp" / "config" / "state.py").read_text()
    return told | {f"hematovision_{name}" for name in re.findall(r'_gauge\(\s*"(\w+)"', state)}


@pytest.mark.parametrize("name", QUERIES)
def test_queries_are_promql_over_figures_that_exist(name):
    known = figures()
    for query in QUERIES[name]:
        promql_parser.parse(query)
        asked = set(
            re.findall(r"\b(?:hematovision[\w:]*|up)\b(?=[{\[)\s]|$)", re.sub(r'"[^"]*"', '""', query))
        )
        assert asked
        assert asked <= known


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_every_alert_has_a_run_book(alert):
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    assert alert["alert"] in headings
    assert alert["annotations"]["runbook"] == f"docs/operations.md#{alert['alert'].lower()}"
    assert alert["labels"]["severity"] in ("warning", "critical")


def test_every_run_book_has_its_alert_and_every_alert_its_test():
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    names = {alert["alert"] for alert in ALERTS}
    assert set(headings) >= names
    tested = yaml.safe_load((MONITORING / "tests" / "hematovision.yml").read_text())["tests"]
    fired = {one["alertname"] for test in tested for one in test["alert_rule_test"] if one["exp_alerts"]}
    assert names - fired == {"ErrorBudgetBurns"}  # as ErrorBudgetBurnsFast, with longer windows


def test_alerts_fire_when_they_should():
    """With Prometheus's own tool; where it is not installed, the test above still holds the queries."""
    promtool = shutil.which("promtool")
    if promtool is None:
        return
    tests = MONITORING / "tests" / "hematovision.yml"
    done = subprocess.run([promtool, "test", "rules", tests], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
