"""The page of one's own jobs."""

import pytest
from django.urls import reverse
from django_scopes import scope

from tests.support.pages import page_of, plain_static
from tests.support.people import person
from webapp.jobs import services
from webapp.jobs.models import Job
from webapp.labs.permissions import Role

__all__ = ["plain_static"]
NEW = "/jobs/new/"
AUDIT = {"kind": "audit_csv"}
pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def admin(alice):
    return person(alice.lab, "Dora", Role.ADMIN)


def test_an_export_is_begun_on_the_page_of_the_trail_and_fetched_from_that_of_jobs(admin):
    browser = admin.browser
    trail = browser.get(reverse("ui:audit"), {"action": "token.made"}).content.decode()
    assert '<input type="hidden" name="action" value="token.made">' in trail
    begun = browser.post(NEW, {"kind": "audit_csv", "action": "token.made"})
    assert begun.url == reverse("ui:jobs")
    page = page_of(admin, "jobs")
    assert "every 1s" in page
    assert "What: Token: made" in page
    with scope(lab=admin.lab):
        job = Job.objects.get()
        services.run_piece(job.id)
    page = page_of(admin, "jobs-live")
    assert "every 1s" not in page
    result = reverse("ui:job-result", args=[job.id])
    assert result in page
    assert browser.get(result).getvalue().startswith(b"sentence,")


def test_what_a_job_was_asked_for_is_said_in_words(admin, settings):
    settings.JOBS_OPEN_OF_ONE = 4
    asked = {"actor": str(admin.membership.user_id), "action": "case.created", "since": "2026-01-31"}
    for number in range(3):
        admin.browser.post(NEW, {"kind": "audit_csv", "subject": f"A-{number}", **asked})
    admin.browser.post(NEW, {"kind": "audit_csv", "actor": "0"})
    said = page_of(admin, "jobs")
    for words in (
        f"Who: {admin.membership.user}",
        "What: Case: created",
        "Of what: A-2",
        "From: 31 Jan 2026",
    ):
        assert said.count(words) == (1 if words.endswith("2") else 3), words
    assert "Who: The product, commands, strangers" in said


def test_cancelling(admin):
    browser = admin.browser
    browser.post(NEW, AUDIT)
    with scope(lab=admin.lab):
        job = Job.objects.get()
    browser.post(reverse("ui:job-cancel", args=[job.id]))
    assert "Being cancelled" in page_of(admin, "jobs")
    with scope(lab=admin.lab):
        services.run_piece(job.id)
    page = page_of(admin, "jobs")
    assert "You cancelled it." in page
    assert browser.get(reverse("ui:job-result", args=[job.id])).status_code == 404


def test_only_those_who_may_begin_one(alice, admin):
    assert alice.browser.post(NEW, AUDIT).status_code == 403
    assert "no such job" in admin.browser.post(NEW, {"kind": "made-up"}, follow=True).content.decode()


def test_what_cannot_be_is_said(admin, settings):
    browser = admin.browser
    answer = browser.post(NEW, {"kind": "audit_csv", "since": "yesterday"}, follow=True)
    assert "is a day" in answer.content.decode()
    settings.JOBS_OPEN_OF_ONE = 0
    answer = browser.post(NEW, AUDIT, follow=True)
    assert "jobs under way" in answer.content.decode()
