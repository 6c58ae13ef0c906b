"""Jobs over HTTP: started, seen, cancelled, fetched."""

import pytest
from django_scopes import scope

from tests.support.people import person
from webapp.audit.actions import Action
from webapp.audit.models import Entry
from webapp.jobs import services
from webapp.jobs.models import Job
from webapp.labs.permissions import Permission, Role
from webapp.labs.tokens import issue_token


@pytest.fixture
def admin(alice):
    return person(alice.lab, "Dora", Role.ADMIN)


def run(someone) -> None:
    with scope(lab=someone.lab):
        services.run_piece(Job.objects.get().id)


def test_the_audit_trail_is_exported(admin):
    started = admin.api.send("/jobs/", {"kind": "audit_csv", "parameters": {"action": "lab.created"}})
    assert started.status_code == 201
    path = f"/jobs/{started.json()['id']}/"
    assert admin.api.read(path).json()["state"] == "queued"
    assert admin.api.read(f"{path}result/").status_code == 404
    run(admin)
    assert admin.api.read(path).json()["state"] == "done"
    assert [job["state"] for job in admin.api.read("/jobs/").json()["results"]] == ["done"]
    answer = admin.api.read(f"{path}result/")
    assert 'filename="audit.csv"' in answer["Content-Disposition"]
    assert answer.getvalue().decode().startswith("sentence,")
    assert Entry.objects.filter(chain=admin.lab.id, action=Action.AUDIT_EXPORTED).count() == 1


def test_it_is_cancelled(admin):
    path = f"/jobs/{admin.api.send('/jobs/', {'kind': 'audit_csv'}).json()['id']}/"
    assert admin.api.send(f"{path}cancel/").json()["cancel_requested"] is True
    run(admin)
    assert admin.api.read(path).json()["state"] == "cancelled"


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "nothing"},
        {"kind": "audit_csv", "parameters": {"other": 1}},
        {"kind": "audit_csv", "parameters": {"since": "yesterday"}},
        {"kind": "audit_csv", "parameters": {"since": 3}},
        {"kind": "audit_csv", "parameters": {"actor": True}},
        {"kind": "audit_csv", "parameters": {"actor": 2**70}},
        {"kind": "audit_csv", "parameters": {"action": ["x"]}},
        {"kind": "audit_csv", "parameters": {"subject": "\0"}},
    ],
)
def test_what_cannot_be_asked_for_is_said(admin, body):
    answer = admin.api.send("/jobs/", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


def test_too_many_at_once(admin, settings):
    settings.JOBS_OPEN_OF_ONE = 1
    admin.api.send("/jobs/", {"kind": "audit_csv"})
    answer = admin.api.send("/jobs/", {"kind": "audit_csv"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "too_many_jobs")


def test_a_kind_asks_for_its_own_permission(alice, admin):
    assert alice.api.send("/jobs/", {"kind": "audit_csv"}).status_code == 403
    admin.api.send("/jobs/", {"kind": "audit_csv"})
    run(admin)
    _, secret = issue_token(admin.membership, "narrow", scopes=[Permission.USE_TOKENS])
    admin.token = secret
    with scope(lab=admin.lab):
        job = Job.objects.get()
    assert admin.api.send("/jobs/", {"kind": "audit_csv"}).status_code == 403
    assert admin.api.read(f"/jobs/{job.id}/result/").status_code == 404
