"""What notifications say, in words."""

import pytest

from webapp.notifications.wording import UNUSABLE, counts


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"classified": 1234, "refused": 2, "failed": 1}, "2 refused, 1 failed"),
        ({"refused": 1500, "failed": 0}, "1,500 refused"),
        ({"classified": 5, "failed": 3}, "3 failed"),
        ({}, ""),
    ],
)
def test_what_became_of_files_leaves_out_what_did_not_happen(facts, said):
    assert counts(facts, UNUSABLE) == said


def test_the_order_is_the_one_asked_for():
    facts = {"failed": 1, "refused": 2, "classified": 1234}
    assert counts(facts, ("classified", *UNUSABLE)) == "1,234 classified, 2 refused, 1 failed"
