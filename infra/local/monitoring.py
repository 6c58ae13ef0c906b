"""What Prometheus needs to watch this machine: `prometheus --config.file=var/prometheus.yml`."""

import json
from collections import defaultdict
from pathlib import Path

import infra
from infra.local.config.settings import LOOPBACK, METRICS, Settings

RULES = Path(infra.__file__).parent / "monitoring" / "rules"


def configuration(settings: Settings) -> str:
    """A whole configuration, alerts included; a Prometheus that runs already can take its parts over."""
    jobs = defaultdict(list)
    for name in METRICS:
        # By kind of program, as the alerts ask for them: one job for all workers.
        jobs[name.split("-")[0]].append(f"{LOOPBACK}:{settings.port(f'metrics-{name}')}")
    token = json.dumps(str(settings.metrics_token))
    watched = "".join(  # untranslated: Prometheus reads it
        f"  - job_name: hematovision-{job}\n"
        f"    authorization: {{credentials_file: {token}}}\n"
        f"    static_configs: [{{targets: {json.dumps(targets)}}}]\n"
        for job, targets in jobs.items()
    )
    # untranslated: Prometheus reads it
    return f"""\
# Written at every start.
global:
  scrape_interval: 15s
  evaluation_interval: 15s

rule_files: [{json.dumps(str(RULES / "*.yml"))}]

scrape_configs:
{watched}"""
