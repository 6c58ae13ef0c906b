"""Which parts of objects are read together, and that each comes back as itself."""

import pytest

from webapp.storage import objects, ranges
from webapp.storage.ranges import GAP, Part

BODY = bytes(range(256)) * 4096


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """What is read of a store that has `BODY` under every key but "lost"."""
    asked = []

    def get_range(key: str, offset: int, length: int) -> bytes:
        asked.append((key, offset, length))
        if key == "lost":
            raise objects.ObjectMissing(key)
        return BODY[offset : offset + length]

    monkeypatch.setattr(objects, "get_range", get_range)
    return asked


def test_each_part_comes_back_in_the_order_asked_for(reads):
    parts = [Part("b", 500, 20), Part("a", 7, 3), Part("b", 3, 9), Part("a", 7, 3), Part("b", 5, 1)]
    assert ranges.read(parts) == [BODY[part.offset : part.end] for part in parts]
    assert sorted(reads) == [("a", 7, 3), ("b", 3, 517)]


def test_what_lies_far_apart_is_read_apart(reads):
    ranges.read([Part("a", 0, 10), Part("a", 10 + GAP, 10), Part("a", 21 + 2 * GAP, 5)])
    assert sorted(reads) == [("a", 0, 20 + GAP), ("a", 21 + 2 * GAP, 5)]


def test_a_part_within_another_does_not_end_the_run_early(reads):
    ranges.read([Part("a", 0, GAP * 3), Part("a", 5, 1), Part("a", GAP * 3 + 1, 1)])
    assert reads == [("a", 0, GAP * 3 + 2)]


def test_a_lost_object_leaves_the_others(reads):
    assert ranges.read([Part("lost", 0, 4), Part("a", 1, 2), Part("lost", 9, 1)]) == [None, BODY[1:3], None]


def test_nothing_asked_is_nothing_read(reads):
    assert ranges.read([]) == []
    assert reads == []
