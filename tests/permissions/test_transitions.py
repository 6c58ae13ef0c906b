"""Every transition of a result × every state × every role × own lab and another, from one table.

What is expected follows from `ALLOWED` and the table of permissions alone.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.core.cache import cache
from django.db import transaction
from django_scopes import scope

from tests.permissions.conftest import CASES_RUN
from tests.support.pages import plain_static
from tests.support.people import PASSWORD, Person, person
from tests.support.results import FEW, now, ready, shown, signed
from webapp.cases.models import Case, Review
from webapp.labs.models import Lab, Signatures
from webapp.labs.permissions import Permission, Role, allows
from webapp.results.amending import amend, void
from webapp.results.models import Result

__all__ = ["plain_static"]
pytestmark = pytest.mark.usefixtures("plain_static")

P = Permission
WHY = {"version": 1, "reason": "Why."}


@dataclass(frozen=True)
class Transition:
    """What is asked for, of whom, and where a case may be for it: state → what the case is afterwards."""

    path: str
    needs: Permission
    allowed: dict[str, Review]


TRANSITIONS = {
    "sign": Transition(
        "sign", P.SIGN, {"ready": Review.SIGNED, "reviewed": Review.SIGNED, "amending": Review.AMENDED}
    ),
    "amend": Transition("amend", P.AMEND, {"signed": Review.IN_REVIEW, "reviewed": Review.IN_REVIEW}),
    "withdraw": Transition("amend/withdraw", P.AMEND, {"amending": Review.SIGNED}),
    "void": Transition(
        "void", P.AMEND, {"signed": Review.VOID, "reviewed": Review.VOID, "amending": Review.VOID}
    ),
}
STATES = ("ready", "reviewed", "signed", "amending", "void")
WHOSE = ("own", "another")


@pytest.fixture
def other_pathologist(alice) -> Person:
    """Who did what was done before: nobody of those who ask."""
    return person(alice.lab, "Earlier", Role.PATHOLOGIST)


@pytest.fixture
def strangers(charlie) -> dict[Role, Person]:
    """Of another lab, one of each role."""
    return {role: person(charlie.lab, f"Stranger.{role.value}", role).signed_in() for role in Role}


def in_state(by: Person, state: str) -> Case:
    if state == "reviewed":
        Lab.objects.filter(id=by.lab.id).update(signatures=Signatures.TWO)
    case = ready(by)
    steps: dict[str, list[Callable[[], object]]] = {
        "ready": [],
        "reviewed": [lambda: signed(case, by)],
        "signed": [lambda: signed(case, by)],
        "amending": [
            lambda: signed(case, by),
            lambda: amend(case, by.membership, version=1, reason="Why."),
        ],
        "void": [lambda: signed(case, by), lambda: void(case, by.membership, version=1, reason="Why.")],
    }
    for step in steps[state]:
        step()
    return now(case)


def body_of(name: str, case: Case) -> dict[str, object]:
    if name != "sign":
        return WHY
    nothing = {"revision": 0, "sha256": "0" * 64, "meaning": "authorised", "reason": FEW}
    seen = nothing if case.review in (Review.SIGNED, Review.VOID) else vars(shown(case))
    return {**seen, "method": "password", "proof": PASSWORD}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", TRANSITIONS)
def test_who_brings_a_case_from_where_to_where(alice, colleagues, strangers, other_pathologist, name, state):
    wanted = TRANSITIONS[name]
    with scope(lab=alice.lab):
        case = in_state(other_pathologist, state)
        before = (now(case).review, Result.objects.count())
        body = body_of(name, case)
    for whose in WHOSE:
        for role in Role:
            someone = (colleagues if whose == "own" else strangers)[role]
            CASES_RUN["transitions"] += 1
            cache.clear()
            with transaction.atomic():
                answer = someone.browser.post(
                    f"/api/v1/cases/{case.id}/{wanted.path}/", json.dumps(body), "application/json"
                )
                with scope(lab=alice.lab):
                    after = (now(case).review, Result.objects.count())
                transaction.set_rollback(True)
            which = (whose, role, answer.content)
            if not allows(role, wanted.needs):
                assert (answer.status_code, after) == (403, before), which
            elif whose == "another":
                assert (answer.status_code, after) == (404, before), which
            elif state in wanted.allowed:
                assert answer.status_code in (200, 201), which
                assert after[0] == wanted.allowed[state], which
            else:
                assert (answer.status_code, after) == (409, before), which


def test_the_table_is_whole():
    assert {state for one in TRANSITIONS.values() for state in one.allowed} <= set(STATES)
    assert {one.needs for one in TRANSITIONS.values()} == {P.SIGN, P.AMEND}
