"""How far a case is."""

import pytest

from webapp.cases.models import Processing
from webapp.cases.selectors import Progress


@pytest.mark.parametrize("state", Processing)
def test_a_case_is_in_progress_while_the_model_has_images_of_it(state):
    assert Progress(state).in_progress == (state is Processing.CLASSIFYING)


def test_files_that_never_came_are_no_part_of_the_whole():
    progress = Progress(
        Processing.CLASSIFYING, awaiting_upload=9, received=2, classified=5, refused=2, failed=1
    )
    assert (progress.total, progress.finished, progress.percent) == (10, 8, 80)
