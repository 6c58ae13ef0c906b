"""A lab's rules, on a real database: versions, acceptance, what is on record, pages and API."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django_scopes import scope

from tests.support.pages import plain_static
from tests.support.people import person
from webapp.audit.models import Entry
from webapp.labs.permissions import Role
from webapp.rules import selectors, services
from webapp.rules.catalogue import CATALOGUE
from webapp.rules.conditions import Condition, Operator, Quantity, Then
from webapp.rules.models import Rule
from webapp.rules.services import Draft, RuleChanged, TooManyRules

__all__ = ["plain_static"]
pytestmark = pytest.mark.usefixtures("fresh_rates", "plain_static")
FEW = (Condition(Quantity.ABSOLUTE, Operator.BELOW, Decimal("1.5"), "neutrophil"),)
DRAFT = Draft("Few", FEW, Then.MUST_SEE, source="A book")
FORM = {
    "name": "Many",
    "then": "second_reader",
    "remark": "",
    "source": "",
    "c0-quantity": "per_100",
    "c0-of": "erythroblast",
    "c0-op": ">",
    "c0-number": "0,5",
    "c0-word": "",
    "c1-quantity": "flag",
    "c1-of": "any",
    "c1-op": "<",
    "c1-number": "",
    "c1-word": "HH",
}


@pytest.fixture
def sue(alice):
    with scope(lab=alice.lab):
        yield person(alice.lab, "Sue", Role.SUPERVISOR)


@pytest.fixture
def rule(sue):
    return services.add(sue.lab, DRAFT, by=sue.membership.user)


def actions(lab):
    found = Entry.objects.filter(chain=lab.id, action__startswith="rule.").order_by("seq")
    return list(found.values_list("action", flat=True))


def test_a_rule_is_off_until_it_is_accepted_and_a_change_turns_it_off(sue, rule):
    by = sue.membership.user
    assert selectors.accepted() == []
    services.accept(rule, by=by)
    assert selectors.accepted() == [rule]
    changed = services.change(rule, Draft("Few", FEW, Then.SECOND_READER), by=by)
    assert (changed.key, changed.version, changed.is_on) == (rule.key, 2, False)
    assert selectors.accepted() == []
    assert [one.version for one in selectors.versions(changed)] == [2, 1]
    for deed in (
        lambda: services.accept(rule, by=by),
        lambda: services.change(rule, DRAFT, by=by),
        lambda: services.turn_off(rule),
        lambda: services.remove(rule),
    ):
        with pytest.raises(RuleChanged):
            deed()
    services.accept(changed, by=by)
    services.turn_off(changed)
    services.remove(changed)
    assert not selectors.current().exists()
    assert Rule.objects.count() == 2  # what was signed may name them
    assert actions(sue.lab) == [f"rule.{did}" for did in (
        "added", "accepted", "changed", "accepted", "turned_off", "removed"
    )]  # fmt: skip


def test_what_stays_the_same_is_no_new_version(sue, rule):
    services.accept(rule, by=sue.membership.user)
    assert services.change(rule, DRAFT, by=sue.membership.user).version == 1
    assert selectors.accepted() == [rule]


def test_the_database_holds_what_a_rule_is(sue, rule):
    values = {"lab": sue.lab, "name": "X", "when": [], "then": "must_see", "made_by": sue.membership.user}
    for wrong in (
        {"key": rule.key, "version": 2},  # two that are current
        {"remark": "Words"},  # proposed by none
        {"then": "remark"},  # nothing to propose
        {"accepted_by": sue.membership.user},  # at no time
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Rule.objects.create(**values | wrong)


def test_those_that_come_with_the_product_are_taken_over_once_and_off(sue):
    by = sue.membership.user
    assert services.add_shipped(sue.lab, by=by) == len(CATALOGUE)
    assert services.add_shipped(sue.lab, by=by) == 0
    assert selectors.accepted() == []
    one = present_of("blasts")
    services.change(one, DRAFT, by=by)
    assert services.add_shipped(sue.lab, by=by) == 0  # it is theirs, whatever they made of it
    services.remove(present_of("blasts"))
    assert [one.code for one in selectors.not_taken()] == ["blasts"]


def present_of(code):
    return selectors.current().get(shipped=code)


def test_a_lab_has_so_many_rules_and_no_more(sue, monkeypatch):
    monkeypatch.setattr(services, "MOST_RULES", 1)
    services.add(sue.lab, DRAFT, by=sue.membership.user)
    with pytest.raises(TooManyRules):
        services.add(sue.lab, DRAFT, by=sue.membership.user)


def test_a_supervisor_makes_tries_and_accepts_a_rule_on_the_page(sue):
    browser = sue.browser
    page = browser.post(reverse("ui:rule-new"), FORM | {"try": "1"})
    assert "Nobody has reviewed a case yet" in page.content.decode()
    assert not selectors.current().exists()
    assert browser.post(reverse("ui:rule-new"), FORM).status_code == 302
    made = selectors.current().get()
    said = (
        "If Erythroblast (NRBC) per 100 white cells &gt; 0.5 and Any class is flagged HH, then a second "
        "person must read the case."
    )
    page = browser.get(reverse("ui:rules")).content.decode()
    assert said in page
    assert browser.post(reverse("ui:rule-accept", args=[made.id])).status_code == 302
    assert selectors.accepted() == [made]
    page = browser.get(reverse("ui:rule", args=[made.id])).content.decode()
    assert '<option value="per_100" selected>' in page
    assert browser.post(reverse("ui:rule", args=[made.id]), FORM | {"name": "Other"}).status_code == 302
    old = browser.post(reverse("ui:rule-accept", args=[made.id]))
    assert old.status_code == 404


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"name": ""}, "This field is required"),
        ({"c0-number": "many"}, "This is not a number"),
        ({"c0-number": "-1"}, "Give a number from 0"),
        ({"c0-of": "neutrophil"}, "has no such quantity"),
        ({"c0-quantity": "", "c1-quantity": ""}, "A rule needs a condition"),
        ({"c1-word": ""}, "none of the values"),
        ({"c0-quantity": "smell"}, "Choose from what there is"),
        ({"then": "remark"}, "Write the remark"),
    ],
)
def test_what_cannot_be_is_said(sue, changed, complaint):
    page = sue.browser.post(reverse("ui:rule-new"), FORM | changed)
    assert page.status_code == 422
    assert complaint in page.content.decode()
    assert not selectors.current().exists()


def test_the_same_by_the_api(sue):
    when = [{"quantity": "per_100", "class": "erythroblast", "op": ">", "value": "0"}]
    body = {"name": "NRBC", "when": when, "then": "must_see"}
    made = sue.api.send("/lab/rules/", body)
    assert made.status_code == 201
    rule = made.json()
    assert (rule["is_on"], rule["when"]) == (False, when)
    assert rule["sentence"].startswith("If Erythroblast (NRBC) per 100 white cells > 0, then")
    path = f"/lab/rules/{rule['id']}/"
    assert sue.api.send(f"{path}acceptance/").json()["accepted_by"] == "Sue"
    changed = sue.api.put(f"/api/v1{path}", body | {"then": "second_reader"}, "application/json").json()
    assert (changed["version"], changed["is_on"]) == (2, False)
    assert sue.api.read(path).status_code == 404
    assert sue.api.send("/lab/rules/try/", {"when": when}).json() == {"cases": 0, "caught": 0}
    wrongs: list[dict[str, object]] = [
        {"when": []},
        {"when": when * 7},
        {"then": "remark"},
        {"when": [{**when[0], "value": "x"}]},
    ]
    for wrong in wrongs:
        assert sue.api.send("/lab/rules/", body | wrong).status_code == 400
    assert sue.api.delete(f"/api/v1/lab/rules/{changed['id']}/").status_code == 204
    assert sue.api.read("/lab/rules/").json() == []
