"""What our own programs are started with on one machine."""

from pathlib import Path

from infra.local.config.secrets import Secrets
from infra.local.config.settings import METRICS, Settings
from infra.local.programs import product
from webapp.outbox.queues import WORKERS


def test_workers_are_those_of_the_table_and_tell_their_metrics(tmp_path: Path) -> None:
    workers = {
        program.name: (
            program.argv[program.argv.index("-Q") + 1],
            program.argv[program.argv.index("-c") + 1],
        )
        for program in product.programs(Settings(tmp_path), Secrets())
        if "-Q" in program.argv
    }
    assert workers == {
        f"worker-{name}": (",".join(worker.queues), str(worker.concurrency))
        for name, worker in WORKERS.items()
    }
    assert set(workers) <= set(METRICS)
