"""How long a retry waits."""

from datetime import timedelta

import pytest

from webapp.outbox.retrying import back_off


@pytest.mark.parametrize(("retry", "seconds"), [(1, 4), (2, 8), (3, 16), (4, 20), (10_000, 20)])
def test_twice_as_long_each_time_up_to_a_bound_and_never_all_at_once(retry, seconds):
    waits = {back_off(retry, first=4, longest=20) for _ in range(20)}
    assert len(waits) > 1
    assert all(timedelta(seconds=seconds / 2) <= wait <= timedelta(seconds=seconds) for wait in waits)
