"""What our own programs are started with on one machine."""

from pathlib import Path

from infra.local.config.secrets import Secrets
from infra.local.config.settings import METRICS, Settings
from infra.local.programs import product
from webapp.outbox.queues import Queue
from workers.celery import app


def test_every_queue_has_a_worker_whose_metrics_are_told(tmp_path: Path) -> None:
    workers = {
        program.name: program.argv[program.argv.index("-Q") + 1].split(",")
        for program in product.programs(Settings(tmp_path), Secrets())
        if "-Q" in program.argv
    }
    served = [queue for queues in workers.values() for queue in queues]
    assert sorted(served) == sorted([*Queue.values, app.conf.task_default_queue])
    assert set(workers) <= set(METRICS)
