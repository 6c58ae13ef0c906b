"""Who reads a case blinded is told its flags nowhere in the worklist."""

import pytest
from django.urls import reverse
from django_scopes import scope

from tests.support.people import person
from webapp.cases.models import Case
from webapp.labs.permissions import Role
from webapp.review.models import Reading

pytestmark = pytest.mark.usefixtures("fresh_rates", "plain_static")


@pytest.fixture
def olga(alice):
    return person(alice.lab, "Olga", Role.PATHOLOGIST)


@pytest.fixture
def blinded(alice, olga):
    with scope(lab=alice.lab):
        case = alice.case("K-1")
        Case.objects.filter(id=case.id).update(flags=["HH"], review="in_review")
        return Reading.objects.create(
            lab=alice.lab,
            case=case,
            kind=Reading.Kind.SECOND,
            reader=olga.membership.user,
            blinded=True,
        )


def page(someone, **asked):
    return someone.browser.get(reverse("ui:worklist"), asked).content.decode()


def rows(someone, **asked):
    return [one["flags"] for one in someone.api.read("/worklist/", **asked).json()["results"]]


def test_rows_say_no_flags_of_a_case_that_one_reads_blinded(alice, olga, blinded):
    assert 'class="flag flag-HH"' in page(alice)
    assert rows(alice) == [["HH"]]
    text = page(olga)
    assert 'class="flag flag-HH"' not in text
    assert "not shown: you read it blinded" in text
    assert rows(olga) == [None]


@pytest.mark.parametrize("flag", ["any", "HH"])
def test_no_filter_tells_the_flags_of_a_case_that_one_reads_blinded(alice, olga, blinded, flag):
    assert rows(alice, flag=flag) == [["HH"]]
    assert rows(olga, flag=flag) == []
    assert "K-1" not in page(olga, flag=flag)


def test_taking_a_case_tells_no_flags_of_it(olga, blinded):
    answer = olga.api.post(f"/api/v1/cases/{blinded.case_id}/take/", {}, "application/json")
    assert answer.status_code == 200
    assert answer.json()["flags"] is None
