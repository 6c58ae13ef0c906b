"""Which images each step sees, as a pure function of the seed: what makes a run resumable at any step."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.config import Stage


@dataclass(frozen=True)
class Step:
    """One optimiser step: its number from 0, its stage and epoch, and the rows of its batch."""

    number: int
    stage: int
    epoch: int
    rows: NDArray[np.int64]
    ends_epoch: bool


def steps_per_epoch(count: int, batch: int) -> int:
    """Full batches in an epoch; the remainder is left to other epochs' shuffles."""
    return max(1, count // batch)


def total_steps(stages: tuple[Stage, ...], count: int) -> int:
    """Steps of a whole run over `count` images."""
    return sum(stage.epochs * steps_per_epoch(count, stage.batch) for stage in stages)


def steps(stages: tuple[Stage, ...], rows: NDArray[np.int64], *, seed: int, start: int = 0) -> Iterator[Step]:
    """The steps of a run from number `start` on; each epoch is its own shuffle of `rows`."""
    number = 0
    for index, stage in enumerate(stages):
        length = steps_per_epoch(len(rows), stage.batch)
        for epoch in range(stage.epochs):
            if number + length > start:
                order = np.random.default_rng((seed, index, epoch)).permutation(rows)
                for position in range(max(0, start - number), length):
                    batch = order[position * stage.batch : (position + 1) * stage.batch]
                    yield Step(number + position, index, epoch, batch, position == length - 1)
            number += length


def learning_rate(step: int, stages: tuple[Stage, ...], count: int, *, peak: float, warmup: int) -> float:
    """Linear warm-up to `peak`, then a cosine to zero; again from each stage with a rate of its own
    (warm restarts: Loshchilov & Hutter 2017).
    """
    start, end = 0, 0
    for stage in stages:
        if stage.learning_rate is not None:
            if step < end:
                break
            start, peak = end, stage.learning_rate
        end += stage.epochs * steps_per_epoch(count, stage.batch)
    done, total = step - start, end - start
    if done < warmup:
        return peak * (done + 1) / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (done - warmup) / max(1, total - warmup)))
