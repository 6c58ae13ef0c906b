"""The trail keeps the words of the source, whatever language people read, and says them in theirs."""

import pytest
from django.utils import translation
from django.utils.translation import gettext_lazy
from django_scopes import scope

from tests.support.spoken import spoken
from webapp.audit.actions import Action
from webapp.audit.export import Format, export
from webapp.audit.models import Entry
from webapp.audit.selectors import Filters
from webapp.audit.services import record
from webapp.cases.services import change_identifiers
from webapp.labs.authorization import may
from webapp.labs.permissions import Permission, Role
from webapp.labs.services import adjust_roles, change_role

GERMAN = {
    "Learner": "Lernende",
    "Technician": "Technik",
    "Sex": "Geschlecht",
    "Name": "Name der Person",
    "See the audit trail": "Protokoll ansehen",
    "was denied {subject:word}": "kein Recht: {subject:word}",
}


def last(lab):
    return Entry.objects.filter(chain=lab.id).order_by("-seq").first()


def test_roles_are_kept_in_the_words_of_the_source(alice):
    with spoken(GERMAN), scope(lab=alice.lab):
        change_role(alice.membership, Role.LEARNER)
        assert last(alice.lab).after == {"role": "Learner"}
        adjust_roles(alice.lab, {}, second_factor_roles=[Role.TECHNICIAN])
        assert last(alice.lab).subject == "Technician"
        assert "Technik" in last(alice.lab).sentence


def test_so_are_names_of_fields(alice):
    with spoken(GERMAN), scope(lab=alice.lab):
        change_identifiers(alice.case(), {"name": "Ada", "sex": "female"})
        entry = last(alice.lab)
    assert entry.after == {"fields": "Name, Sex"}
    with spoken(GERMAN):
        assert entry.sentence.endswith("Name der Person, Geschlecht")


@pytest.mark.usefixtures("fresh_rates")
def test_so_is_what_was_denied(alice):
    alice.membership.role = Role.LEARNER
    with spoken(GERMAN), scope(lab=alice.lab):
        assert not may(alice.membership, Permission.VIEW_AUDIT)
        entry = last(alice.lab)
        assert entry.subject == "“See the audit trail”"
        assert "kein Recht: “Protokoll ansehen”" in entry.sentence


def test_so_is_any_label(alice):
    with spoken(GERMAN):
        record(
            Action.ROLE_CHANGED,
            lab=alice.lab.id,
            subject=gettext_lazy("Learner"),
            after={"x": Role.LEARNER.label},
        )
        assert str(Role.LEARNER.label) == "Lernende"
    assert (last(alice.lab).subject, last(alice.lab).after) == ("Learner", {"x": "Learner"})


@pytest.mark.parametrize("form", Format)
def test_a_file_is_in_the_language_of_who_asked_however_late_it_is_written(alice, form):
    record(Action.ACCESS_DENIED, lab=alice.lab.id, subject="“See the audit trail”")
    with spoken(GERMAN):
        answer = export(alice.lab.id, Filters(action=Action.ACCESS_DENIED), form)
        with translation.override("en"):
            written = answer.getvalue().decode()
    assert "kein Recht: “Protokoll ansehen”" in written
