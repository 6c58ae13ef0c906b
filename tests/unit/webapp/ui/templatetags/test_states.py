"""How the state of a case looks."""

from webapp.cases.models import Processing
from webapp.ui.templatetags.states import CLASSES


def test_every_state_has_its_looks():
    assert set(CLASSES) == set(Processing)
