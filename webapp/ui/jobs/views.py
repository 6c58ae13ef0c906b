"""One's own jobs: how far they are, and what they made."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from webapp.jobs import selectors, services
from webapp.jobs.kinds import KINDS
from webapp.jobs.models import Job
from webapp.jobs.results import download
from webapp.labs.authorization import may
from webapp.ui.permissions import MemberRequest, needs

JOBS_A_PAGE = 50


@needs(None)
@require_GET
def job_list(request: MemberRequest) -> HttpResponse:
    return render(request, "ui/jobs/list.html", _shown(request))


@needs(None)
@require_GET
def live(request: MemberRequest) -> HttpResponse:
    """The list alone, while something is under way."""
    return render(request, "ui/jobs/live.html", _shown(request))


@needs(None)
@require_POST
def start(request: MemberRequest) -> HttpResponseBase:
    """Start a job; its kind, and what it is about, are in the form."""
    kind = KINDS.get(request.POST.get("kind", ""))
    if kind is None:
        messages.error(request, _("There is no such job."))
        return redirect("ui:jobs")
    if not may(request.membership, kind.needs):
        raise PermissionDenied
    given: dict[str, Any] = {name: value for name, value in request.POST.items() if name in kind.takes}
    try:
        services.start(request.membership, kind, given)
    except (services.TooManyJobs, ValueError) as error:
        messages.error(request, str(error))
    return redirect("ui:jobs")


@needs(None)
@require_POST
def cancel(request: MemberRequest, job_id: UUID) -> HttpResponseBase:
    services.cancel(_job(request, job_id))
    return redirect("ui:jobs")


@needs(None)
@require_GET
def result(request: MemberRequest, job_id: UUID) -> HttpResponseBase:
    job = _job(request, job_id)
    if not selectors.can_fetch(request.membership, job):
        raise Http404
    return download(job)


def _job(request: MemberRequest, job_id: UUID) -> Job:
    job = selectors.job_of(request.membership, job_id)
    if job is None:
        raise Http404
    return job


def _shown(request: MemberRequest) -> dict[str, Any]:
    page = Paginator(selectors.jobs_of(request.membership), JOBS_A_PAGE).get_page(request.GET.get("page"))
    said: dict[UUID, list[tuple[str, str]]] = {}
    for kind in KINDS.values():
        said |= kind.said([job for job in page if job.kind == kind.name])
    rows = [
        (job, KINDS.get(job.kind), said.get(job.id, []), selectors.can_fetch(request.membership, job))
        for job in page
    ]
    return {"page": page, "rows": rows, "under_way": any(job.is_open for job in page)}
