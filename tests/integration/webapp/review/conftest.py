"""A case of three cells, and its first reading."""

import pytest
from django_scopes import scope

from tests.support.pages import add_cells, cell_of
from webapp.review.models import Reading
from webapp.review.services import open_reading


@pytest.fixture
def case(alice):
    with scope(lab=alice.lab):
        yield alice.case()


@pytest.fixture
def cells(alice, case):
    """Two that the model suggests to be neutrophils, and one that it is unsure of."""
    sure = add_cells(alice, case, "neutrophil", 0.9, 0.95)
    unsure = add_cells(alice, case, "monocyte", 0.4, flagged=True)
    return [cell_of(image).id for image in (*sure, *unsure)]


@pytest.fixture
def user(alice):
    return alice.membership.user


@pytest.fixture
def reading(case, user):
    return open_reading(case, Reading.Kind.FIRST, reader=user)
