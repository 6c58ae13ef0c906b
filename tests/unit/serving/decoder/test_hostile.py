"""Small files that would cost much. `python -m tests.bench.bench_hostile` measures what they do cost."""

import pytest

from tests.bench.bench_hostile import cost
from tests.support.hostile import hostile_pictures

PICTURES = hostile_pictures()
# Nets with wide meshes: a machine that does much else at the same time must not fail them.
MOST_CPU_SECONDS, MOST_MB = 2.5, 165


def test_there_are_enough_of_them():
    assert len(PICTURES) > 41


@pytest.mark.parametrize("name", PICTURES)
def test_it_costs_little(name):
    data = PICTURES[name]()
    assert len(data) < 20_000_000
    spent = cost(data)
    assert spent.cpu_s < MOST_CPU_SECONDS, spent  # fails, too, if the decoder had to be killed
    assert spent.peak_mb < MOST_MB, spent


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("jpeg, one progressive scan 25,000 times", "too_costly"),
        ("tiff, one deflated tile of 12,288", "too_costly"),
        ("tiff, tiles of one pixel", "too_costly"),
        ("tiff, directories in a circle", "damaged"),
        ("jpeg, 5,000 square and no data", "damaged"),
        ("jpeg, scans behind a segment of no length", "damaged"),
        ("tiff, tiles of a million pixels, one of them shown", "too_costly"),
        ("tiff, jpeg tiles full of comments", "too_costly"),
        ("webp, a large picture before a small one", "too_many_pixels"),
        ("webp, a small frame on a large canvas", "damaged"),
        ("png, text that swells", "taken"),
        ("png, a million empty chunks", "too_costly"),
        ("bmp, run lengths that stand still", "too_costly"),
    ],
)
def test_it_is_refused_for_what_it_is(name, reason):
    assert cost(PICTURES[name]()).outcome.startswith(reason)
