"""Whatever belongs to a lab is asked for in the scope of one; without, the query raises."""

import pytest
from celery import Task
from django.apps import apps
from django.db.models import ForeignKey
from django_scopes import scope
from django_scopes.exceptions import ScopeError

from webapp.cases.models import Case
from webapp.labs.models import Lab, Membership
from workers.celery import LabTask, app

# Read across labs by design; each has its own guard.
ACROSS_LABS = {
    "outbox.OutboxEntry": "the relay alone reads it, and it serves all labs",
    "outbox.Delivery": "workers and operators read it, as the relay does its entries",
    "registry.ModelVersion": "base models have no lab; selectors show a lab the base's and its own",
    "audit.Entry": "the chain of the installation has no lab; selectors ask for one chain",
}


def belongs_to_a_lab(model, seen=frozenset()) -> bool:
    """Whether rows of the model lead to a lab: by a key, a column, or what they belong to."""
    if model in seen or model is Lab:
        return model is Lab
    for field in model._meta.concrete_fields:
        if field.name in ("lab", "lab_id", "chain"):
            return True
        if isinstance(field, ForeignKey) and belongs_to_a_lab(field.related_model, seen | {model}):
            return True
    return False


MODELS = [model for model in apps.get_models() if model is not Lab and belongs_to_a_lab(model)]


def test_the_walk_finds_what_labs_have():
    names = {model._meta.label for model in MODELS}
    assert {"cases.Case", "cases.Image", "inference.Prediction", "labs.Membership", "labs.ApiToken"} <= names
    assert set(ACROSS_LABS) <= names


@pytest.mark.parametrize(
    "model", [model for model in MODELS if model._meta.label not in ACROSS_LABS], ids=lambda m: m._meta.label
)
def test_an_unscoped_query_raises_and_a_scoped_one_stays_in_its_lab(model, alice, charlie):
    for unscoped in (list, len, lambda manager: manager.first(), lambda manager: manager.filter(pk=1)):
        with pytest.raises(ScopeError):
            unscoped(model.objects.all())
    with scope(lab=alice.lab):
        assert "labs_lab" in str(model.objects.all().query) or "lab_id" in str(model.objects.all().query)


def test_a_scope_shows_one_lab_alone(alice, charlie):
    alice.case("N-1")
    charlie.case("S-1")
    for someone, seen in ((alice, "N-1"), (charlie, "S-1")):
        with scope(lab=someone.lab):
            assert [case.accession for case in Case.objects.all()] == [seen]
            members = list(Membership.objects.all())
            assert someone.membership in members
            assert {member.lab_id for member in members} == {someone.lab.id}


def test_tasks_are_scoped_to_their_lab_or_raise(alice, charlie):
    alice.case("N-1")

    def accessions(self: "Task[..., list[str]]", *_: object) -> list[str]:
        return [case.accession for case in Case.objects.all()]

    of_a_lab = app.task(base=LabTask, name="test_of_a_lab", bind=True)(accessions)
    of_none = app.task(name="test_of_no_lab", bind=True)(accessions)
    assert of_a_lab(str(alice.lab.id)) == ["N-1"]
    assert of_a_lab(str(charlie.lab.id)) == []
    with pytest.raises(ScopeError):
        of_none()
