"""Two pathologists, and a case that one of them has read."""

import pytest
from django_scopes import scope

from tests.support.people import Person, person
from tests.support.results import ready
from webapp.labs.permissions import Role


@pytest.fixture
def pat(lab) -> Person:
    return person(lab, "Pat", Role.PATHOLOGIST)


@pytest.fixture
def quinn(lab) -> Person:
    return person(lab, "Quinn", Role.PATHOLOGIST)


@pytest.fixture
def read_case(pat):
    """Every cell of it is decided; the lab is the scope."""
    with scope(lab=pat.lab):
        yield ready(pat)
