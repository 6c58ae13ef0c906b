"""training.fitting.schedule: the steps of a run are a pure function of seed and settings."""

import numpy as np
import pytest

from training.config import Stage
from training.fitting.schedule import learning_rate, steps, total_steps

STAGES = (Stage(size=96, epochs=2, batch=4), Stage(size=224, epochs=1, batch=3))
ROWS = np.arange(100, 111)  # 11 rows: 2 full batches of 4, or 3 of 3


def test_numbers_stages_and_epochs_run_on() -> None:
    run = list(steps(STAGES, ROWS, seed=5))
    assert len(run) == total_steps(STAGES, len(ROWS)) == 2 * 2 + 3
    assert [step.number for step in run] == list(range(7))
    assert [(step.stage, step.epoch) for step in run] == [(0, 0)] * 2 + [(0, 1)] * 2 + [(1, 0)] * 3
    assert [step.number for step in run if step.ends_epoch] == [1, 3, 6]


def test_an_epoch_shows_no_row_twice() -> None:
    epoch = np.concatenate([step.rows for step in steps(STAGES, ROWS, seed=5) if step.stage == 1])
    assert len(set(epoch)) == 9
    assert set(epoch) <= set(ROWS)


@pytest.mark.parametrize("start", range(8))
def test_starting_later_gives_the_same_remaining_steps(start: int) -> None:
    whole = list(steps(STAGES, ROWS, seed=5))[start:]
    rest = list(steps(STAGES, ROWS, seed=5, start=start))
    assert [step.number for step in rest] == [step.number for step in whole]
    assert all(np.array_equal(a.rows, b.rows) for a, b in zip(rest, whole, strict=True))


def test_epochs_and_seeds_shuffle_differently() -> None:
    first, _, second, *_ = (step.rows for step in steps(STAGES, ROWS, seed=5))
    other = next(steps(STAGES, ROWS, seed=6)).rows
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_fewer_rows_than_a_batch_still_make_a_step() -> None:
    assert [len(step.rows) for step in steps((Stage(96, 1, 32),), ROWS, seed=0)] == [11]


def test_learning_rate_warms_up_and_falls_to_zero() -> None:
    stages = (Stage(96, 5, 4), Stage(128, 6, 2))  # 5 epochs of 10 steps and 6 of 20, of 40 images: 170
    rates = [learning_rate(step, stages, 40, peak=1e-3, warmup=10) for step in range(171)]
    assert rates[0] == pytest.approx(1e-4)
    assert max(rates) == rates[9] == rates[10] == pytest.approx(1e-3)
    assert rates[90] == pytest.approx(5e-4)
    assert rates[170] == pytest.approx(0)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_learning_rate_begins_again_where_a_stage_says_so() -> None:
    stages = (Stage(96, 5, 4), Stage(128, 6, 2, learning_rate=4e-4))
    rates = [learning_rate(step, stages, 40, peak=1e-3, warmup=10) for step in range(171)]
    alone = [learning_rate(step, stages[:1], 40, peak=1e-3, warmup=10) for step in range(50)]
    assert rates[:50] == alone
    assert rates[50] == pytest.approx(4e-5)
    assert max(rates[50:]) == rates[59] == pytest.approx(4e-4)
    assert rates[170] == pytest.approx(0)
