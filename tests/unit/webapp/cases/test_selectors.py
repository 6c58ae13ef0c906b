"""How far a case is."""

import pytest

from webapp.cases.selectors import CaseState, Progress


@pytest.mark.parametrize(
    ("progress", "state"),
    [
        (Progress(), CaseState.EMPTY),
        (Progress(awaiting_upload=3), CaseState.EMPTY),
        (Progress(received=1, failed=1), CaseState.IN_PROGRESS),
        (Progress(classified=5, failed=1), CaseState.NEEDS_ATTENTION),
        (Progress(classified=5, refused=1), CaseState.DONE),
        (Progress(refused=1), CaseState.DONE),
    ],
)
def test_the_images_say_how_far_a_case_is(progress, state):
    assert progress.state is state
    assert progress.in_progress == (state is CaseState.IN_PROGRESS)
