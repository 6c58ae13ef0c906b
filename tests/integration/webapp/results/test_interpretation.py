"""What a count means for a patient: on a real database, against values computed by hand."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django_scopes import scope

from tests.support.pages import add_cells
from tests.support.people import person
from tests.support.ranges import approved
from webapp.cases.models import AnalyserCount, Specimen
from webapp.cases.services import change_identifiers
from webapp.hematology.differential import differential
from webapp.labs.permissions import Role
from webapp.results.interpretation import Correction, NoRange, basis_of, interpret, interpreted

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


RANGES = (
    {"cell_class": "neutrophil", "low": D("1.8"), "high": D("7.7")},
    {"cell_class": "lymphocyte", "quantity": "percent", "low": D(16), "high": D(47)},
    {"cell_class": "immature_granulocyte", "quantity": "percent", "high": D("0.9")},
    {"cell_class": "erythroblast", "quantity": "per_100", "low": D(0), "high": D(0)},
)


def test_without_white_cells_nothing_is_absolute(case, user, known):
    approved(case.lab, user, *RANGES)
    found = of(case)
    assert all(one.absolute is None for one in found.rows)
    assert found.of("neutrophil").no_range == NoRange.NO_ABSOLUTE
    assert flags(found) == {"lymphocyte": ["H"]}
    assert (found.wbc_correction, found.wbc) == (Correction.NO_WBC, None)
    assert any("nobody has entered" in note for note in found.notes)


def test_white_cells_are_corrected_here_once(case, user, known):
    approved(case.lab, user, *RANGES)
    white_cells(case, user, "10", is_corrected=False)
    found = of(case, COUNTS | {"erythroblast": 25})
    assert (found.wbc, found.wbc_given, found.wbc_correction) == (8, 10, Correction.DONE_HERE)
    assert found.of("neutrophil").absolute == D("3.20")  # 10 × 100 / 125 × 40 %
    assert flags(found) == {"lymphocyte": ["H"], "erythroblast": ["A", "H"]}


def test_what_the_analyser_corrected_is_not_corrected_again(case, user, known):
    white_cells(case, user, "10", is_corrected=True)
    found = of(case, COUNTS | {"erythroblast": 25})
    assert (found.wbc, found.wbc_correction) == (10, Correction.BY_ANALYSER)


def test_where_nobody_has_said_it_is_asked_and_nothing_is_absolute(case, user, known):
    approved(case.lab, user, *RANGES)
    white_cells(case, user, "10")
    found = of(case, COUNTS | {"erythroblast": 1})
    assert (found.wbc, found.wbc_given, found.wbc_correction) == (None, 10, Correction.NOT_KNOWN)
    assert found.of("neutrophil").absolute is None
    assert any("nobody has said whether the analyser" in note for note in found.notes)


def test_a_lab_chooses_from_how_many_on_it_corrects(case, user, known):
    white_cells(case, user, "10.2", is_corrected=False)
    counts = COUNTS | {"erythroblast": 2}
    assert of(case, counts).wbc_correction == Correction.NONE
    type(case.lab).objects.update(nrbc_correction_from=2)
    found = of(case, counts)
    assert (found.wbc, found.wbc_correction) == (10, Correction.DONE_HERE)


def test_the_fewest_and_the_most_white_cells(case, user, known):
    approved(case.lab, user, *RANGES)
    white_cells(case, user, "0.001")
    assert flags(of(case))["neutrophil"] == ["L"]
    AnalyserCount.objects.update(wbc=D(1000))
    assert flags(of(case))["neutrophil"] == ["H"]


def test_all_neutrophils_are_judged_together_and_never_called_segmented(case, user, known):
    approved(case.lab, user, *RANGES)
    white_cells(case, user, "10")
    found = of(case, {"segmented_neutrophil": 10, "band_neutrophil": 3, "neutrophil": 2, "lymphocyte": 85})
    total = found.of("neutrophil")
    assert total.name == "Neutrophil, all"
    assert (total.row.count, total.absolute, total.flags) == (15, D("1.50"), ("L",))
    assert total.parts == ("neutrophil", "band_neutrophil", "segmented_neutrophil")
    own = [one for one in found.rows if one.code.endswith("neutrophil") and not one.parts]
    assert {one.code: one.row.count for one in own} == {
        "neutrophil": 2,
        "band_neutrophil": 3,
        "segmented_neutrophil": 10,
    }
    assert not any(one.flags or one.ranges for one in own)
    assert sum(one.row.count for one in found.own_rows) == 100


def test_a_part_of_which_some_were_not_told_apart_is_never_too_few(case, user, known):
    segmented = {"cell_class": "segmented_neutrophil", "quantity": "percent", "low": D(34), "high": D(50)}
    approved(case.lab, user, segmented)
    assert flags(of(case, {"neutrophil": 40, "segmented_neutrophil": 10, "lymphocyte": 50})) == {}
    assert flags(of(case, {"segmented_neutrophil": 10, "lymphocyte": 90})) == {"segmented_neutrophil": ["L"]}
    assert flags(of(case, {"neutrophil": 40, "segmented_neutrophil": 60})) == {"segmented_neutrophil": ["H"]}


def test_what_is_abnormal_in_any_number(case, known):
    counts = COUNTS | {"erythroblast": 1, "blast": 1, "other": 1, "plasma_cell": 1, "smudge": 9}
    assert flags(of(case, counts)) == {"blast": ["A"], "other": ["A"], "erythroblast": ["A"]}


def test_immature_granulocytes_are_summed_and_abnormal_above_the_limit_alone(case, user, known):
    counts = {"neutrophil": 299, "immature_granulocyte": 1, "metamyelocyte": 1, "lymphocyte": 99}
    assert "immature_granulocyte" not in flags(of(case, counts))  # no limit, no judgement
    approved(case.lab, user, *RANGES)
    found = of(case, counts)  # 0.5 % of 400
    assert found.of("immature_granulocyte").row.count == 2
    assert flags(found) == {}
    counts |= {"myelocyte": 2}
    assert flags(of(case, counts)) == {"immature_granulocyte": ["A", "H"]}


def test_critical_values_stand_first(case, user, known):
    low = {"cell_class": "neutrophil", "low": D("1.8"), "high": D("7.7"), "critical_low": D("0.5")}
    approved(case.lab, user, low)
    white_cells(case, user, "1")
    found = of(case, COUNTS | {"blast": 1})
    assert found.flags == ("LL", "A")
    assert [one.code for one in found.critical] == ["neutrophil"]
    assert not found.critical[0].near_limit  # 0.31 to 0.49


def test_how_many_cells_a_lab_asks_for(case, known):
    assert not of(case).is_short
    type(case.lab).objects.update(full_count=200)
    found = of(case)
    assert (found.required, found.is_short) == (200, True)


# --- whose range --------------------------------------------------------------------------------------------

BY_AGE = (
    {"cell_class": "lymphocyte", "quantity": "percent", "age_to_days": 730, "low": D(20), "high": D(64)},
    {"cell_class": "lymphocyte", "quantity": "percent", "age_from_days": 730, "low": D(16), "high": D(47)},
    {"cell_class": "monocyte", "quantity": "percent", "sex": "female", "low": D(2), "high": D(9)},
    {"cell_class": "monocyte", "quantity": "percent", "sex": "male", "low": D(2), "high": D(11)},
)


def test_an_unknown_age_has_no_range(case, user):
    approved(case.lab, user, *BY_AGE)
    change_identifiers(case, {"sex": "male"})
    found = of(case)
    assert {one.no_range for one in found.rows if one.code in ("lymphocyte", "monocyte")} == {
        NoRange.AGE_UNKNOWN
    }
    assert found.flags == ()
    assert "No range: age unknown." in found.notes


def test_a_case_of_nobody_has_no_range(case, user):
    approved(case.lab, user, *BY_AGE)
    assert of(case).of("lymphocyte").no_range == NoRange.AGE_UNKNOWN


@pytest.mark.parametrize("sex", ["", "unknown", "other"])
def test_an_unknown_sex_is_an_obstacle_only_where_the_range_is_for_one(case, user, sex):
    approved(case.lab, user, *BY_AGE)
    change_identifiers(case, {"birth_date": date(1980, 5, 1), "sex": sex})
    found = of(case)
    assert flags(found) == {"lymphocyte": ["H"]}
    assert found.of("monocyte").no_range == NoRange.SEX_UNKNOWN


@pytest.mark.parametrize(("sex", "expected"), [("female", {"monocyte": ["H"]}), ("male", {})])
def test_each_sex_has_its_own(case, user, sex, expected):
    approved(case.lab, user, *BY_AGE[2:])
    change_identifiers(case, {"birth_date": date(1980, 5, 1), "sex": sex})
    assert flags(of(case)) == expected


def specimen(case, **times):
    Specimen.objects.update_or_create(case=case, lab=case.lab, defaults=times)


@pytest.mark.parametrize(
    ("zone", "collected", "expected"),
    [
        ("", datetime(2026, 1, 1, 12, tzinfo=UTC), 0),
        ("", datetime(2026, 1, 1, 0, 0, tzinfo=UTC), 0),
        ("", datetime(2026, 1, 2, 0, 0, tzinfo=UTC), 1),
        ("Asia/Tokyo", datetime(2026, 1, 1, 15, 0, tzinfo=UTC), 1),  # midnight there
        ("Asia/Tokyo", datetime(2026, 1, 1, 14, 59, tzinfo=UTC), 0),
        ("America/Lima", datetime(2026, 1, 2, 4, 59, tzinfo=UTC), 0),
        ("", datetime(2025, 12, 31, 23, 0, tzinfo=UTC), -1),
    ],
)
def test_age_is_counted_in_days_of_the_lab_s_calendar(case, zone, collected, expected):
    type(case.lab).objects.update(time_zone=zone)
    change_identifiers(case, {"birth_date": date(2026, 1, 1)})
    specimen(case, collected_at=collected)
    assert basis_of(case).age == expected


def test_age_is_that_of_collection_else_of_reception_else_of_opening(case):
    change_identifiers(case, {"birth_date": date(2020, 1, 1)})
    opened = (case.created_at.date() - date(2020, 1, 1)).days
    assert basis_of(case).age == opened
    specimen(case, received_at=datetime(2020, 1, 11, 12, tzinfo=UTC))
    assert basis_of(case).age == 10
    specimen(case, collected_at=datetime(2020, 1, 6, 12, tzinfo=UTC))
    assert basis_of(case).age == 5


def test_who_was_born_after_the_specimen_has_no_range(case, user):
    approved(case.lab, user, *BY_AGE)
    change_identifiers(case, {"birth_date": date(2026, 1, 2), "sex": "male"})
    specimen(case, collected_at=datetime(2026, 1, 1, 12, tzinfo=UTC))
    assert of(case).of("lymphocyte").no_range == NoRange.BORN_LATER


def test_what_is_proposed_or_retired_judges_nothing(case, user, known):
    (row,) = approved(case.lab, user, {"cell_class": "lymphocyte", "quantity": "percent", "high": D(47)})
    assert flags(of(case)) == {"lymphocyte": ["H"]}
    type(row).objects.update(valid_to=row.valid_from)
    found = of(case)
    assert (flags(found), found.of("lymphocyte").no_range) == ({}, NoRange.NONE_APPROVED)


def test_it_costs_the_same_however_many_ranges(case, user, known, django_assert_num_queries):
    approved(case.lab, user, *BY_AGE, *RANGES[:1])
    with django_assert_num_queries(3):
        of(case)


def test_both_differentials_are_judged_by_one_look(case, user, known, django_assert_num_queries):
    approved(case.lab, user, *BY_AGE)
    basis = basis_of(case)
    with django_assert_num_queries(0):
        assert flags(interpreted(basis, differential(COUNTS, 100))) == {
            "lymphocyte": ["H"],
            "monocyte": ["H"],
        }


def test_who_may_not_see_who_the_patient_is_sees_flags_and_no_ranges(alice, case, user, known):
    """An adult's limits, or a child's, would tell their age: on pages, in the API, in the signed result."""
    lee = person(alice.lab, "Lee", Role.SUPERVISOR)
    add_cells(alice, case, "neutrophil", *[0.9] * 10)
    approved(case.lab, user, {"cell_class": "neutrophil", "quantity": "percent", "low": D(41), "high": D(73)})
    page, api = f"/cases/{case.id}/", f"/cases/{case.id}/"
    assert "41–73 %" in alice.browser.get(page).content.decode()
    assert "41–73 %" in str(alice.api.read(api).json())
    shown = lee.browser.get(page).content.decode()
    assert "73 %" not in shown
    assert "Ranges are not shown: they would tell how old the patient is." in shown
    (row,) = (one for one in lee.api.read(api).json()["differential"]["white_cells"] if one["count"])
    assert (row["flags"], row["range"], row["no_range"]) == (
        ["H"],
        "Ranges are not shown: they would tell how old the patient is.",
        "not_shown",
    )
