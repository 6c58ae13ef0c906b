"""The page of ranges, as a supervisor reads it."""

import pytest
from django.urls import reverse
from django_scopes import scope

from tests.support.people import person
from webapp.labs.permissions import Role
from webapp.ranges.models import ReferenceRange
from webapp.ranges.tables import shipped

pytestmark = pytest.mark.usefixtures("fresh_rates", "plain_static")

FORM = {
    "cell_class": "neutrophil",
    "quantity": "absolute",
    "sex": "any",
    "age_from_days": "0",
    "low": "1.8",
    "high": "7.7",
    "source": "A book",
}


@pytest.fixture
def sue(lab):
    return person(lab, "Sue", Role.SUPERVISOR)


def post(someone, name, form=None):
    return someone.browser.post(reverse(f"ui:{name}"), form or {}, follow=True)


def page(someone):
    return someone.browser.get(reverse("ui:ranges")).content.decode()


def proposed(lab):
    with scope(lab=lab):
        return list(ReferenceRange.objects.filter(approved_at=None).values_list("id", flat=True))


def test_the_shipped_set_is_proposed_and_approved_as_a_whole(sue):
    assert "no value is judged" in page(sue)
    assert "35 ranges proposed" in post(sue, "ranges-shipped").content.decode()
    found = post(sue, "ranges-approve", {"ids": proposed(sue.lab)}).content.decode()
    assert f"{len(shipped())} ranges approved" in found
    assert "stmarysmaine.testcatalog.org" in found
    assert found.count("approved by Sue") == len(shipped())


def test_a_difference_is_seen_before_it_is_approved(sue):
    post(sue, "range-new", FORM)
    post(sue, "ranges-approve", {"ids": proposed(sue.lab)})
    found = post(sue, "range-new", {**FORM, "low": "2.0"}).content.decode()
    assert "2.00–7.70 ×10⁹/L" in found
    assert "instead of 1.80–7.70 ×10⁹/L, all ages" in found


def test_a_part_alone_is_said_to_leave_a_gap(sue):
    post(sue, "range-new", {**FORM, "age_to_days": "730"})
    answer = post(sue, "ranges-approve", {"ids": proposed(sue.lab)})
    assert answer.status_code == 409
    assert "there would be no range, from 2 years on." in answer.content.decode()


def test_nothing_ticked_and_what_is_gone(sue):
    assert post(sue, "ranges-approve").status_code == 422
    assert post(sue, "ranges-approve", {"ids": ["999999"]}).status_code == 409
    assert post(sue, "ranges-withdraw", {"ids": ["x"]}).status_code == 409


def test_a_wrong_form_says_it_at_the_field(sue):
    answer = post(sue, "range-new", {**FORM, "low": "8"})
    assert answer.status_code == 422
    assert "The lower limit is above the upper one." in answer.content.decode()


def test_a_table_is_checked_and_then_proposed(sue):
    table = "class;quantity;low;high;source\nbasophil;absolute;;0.1;A\n"
    wrong = post(sue, "ranges-table", {"table": table.replace("0.1", "x"), "check": "1"})
    assert wrong.status_code == 422
    assert "“x” is no number." in wrong.content.decode()
    assert (
        "1 row, and nothing is wrong"
        in post(sue, "ranges-table", {"table": table, "check": "1"}).content.decode()
    )
    assert not proposed(sue.lab)
    post(sue, "ranges-table", {"table": table})
    assert len(proposed(sue.lab)) == 1


def test_who_may_not_approve_reads_and_no_more(alice, sue):
    post(sue, "ranges-shipped")
    found = page(alice)
    assert "Lymphocyte" in found
    assert "<button" not in found[found.index('id="main"') :]
    assert post(alice, "ranges-approve", {"ids": proposed(sue.lab)}).status_code == 403


def test_a_supervisor_finds_the_page(sue):
    assert reverse("ui:ranges") in sue.browser.get(reverse("ui:worklist")).content.decode()


def test_another_lab_s_ranges_are_not_there(sue, charlie):
    post(sue, "ranges-shipped")
    with scope(lab=charlie.lab):
        assert not ReferenceRange.objects.exists()
    assert "testcatalog" not in page(charlie)
