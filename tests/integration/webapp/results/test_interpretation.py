"""What a count means for a patient: on a real database, against values computed by hand."""

from datetime import date
from decimal import Decimal

import pytest
from django_scopes import scope

from tests.support.ranges import approved
from webapp.cases.models import AnalyserCount
from webapp.cases.services import change_identifiers
from webapp.hematology.differential import differential
from webapp.results.interpretation import Correction, interpret

D = Decimal
pytestmark = pytest.mark.usefixtures("plain_static")

ADULT = {"birth_date": date(1980, 5, 1), "sex": "female"}
COUNTS = {"neutrophil": 40, "lymphocyte": 50, "monocyte": 10}


@pytest.fixture
def case(alice):
    with scope(lab=alice.lab):
        yield alice.case()


@pytest.fixture
def user(alice):
    return alice.membership.user


@pytest.fixture
def known(case):
    """The patient is known, and the analyser's count."""
    change_identifiers(case, ADULT)


def white_cells(case, user, wbc, is_corrected=None):
    AnalyserCount.objects.create(
        case=case, lab=case.lab, wbc=D(wbc), wbc_is_corrected=is_corrected, entered_by=user
    )


def of(case, counts=COUNTS):
    return interpret(case, differential(counts, case.lab.full_count))


def flags(found):
    return {one.code: [str(flag) for flag in one.flags] for one in found.rows if one.flags}


def test_absolute_values_are_judged(case, user, known):
    approved(
        case.lab,
        user,
        {"cell_class": "neutrophil", "low": D("1.8"), "high": D("7.7"), "critical_low": D("0.5")},
        {"cell_class": "neutrophil", "quantity": "percent", "low": D(45), "high": D(75)},
        {"cell_class": "lymphocyte", "low": D(1), "high": D("4.8")},
        {"cell_class": "monocyte", "quantity": "percent", "low": D(2), "high": D(9)},
    )
    white_cells(case, user, "10")
    found = of(case)
    neutrophils = found.of("neutrophil")
    assert (neutrophils.absolute, str(neutrophils.absolute_low), str(neutrophils.absolute_high)) == (
        D("4.00"),
        "3.09",  # Wilson of 40 in 100: 30.94 % to 49.80 %
        "4.98",
    )
    assert [one.text for one in neutrophils.ranges] == ["1.80–7.70 ×10⁹/L", "45–75 %"]
    assert flags(found) == {"lymphocyte": ["H"], "monocyte": ["H"]}  # 5.00, and 10 % where no absolute one is
    assert found.of("lymphocyte").near_limit
    assert found.flags == ("H",)
    assert not found.critical
    assert found.wbc_correction == Correction.NONE
