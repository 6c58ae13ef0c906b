"""One's own jobs: work that takes longer than a request should."""

from uuid import UUID

from django.http import Http404, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.api.errors import Conflict
from webapp.api.jobs.serializers import JobSerializer, NewJobSerializer
from webapp.api.pagination import NewestFirst
from webapp.api.permissions import Needs, membership_of
from webapp.jobs import selectors, services
from webapp.jobs.kinds import KINDS
from webapp.jobs.models import Job
from webapp.jobs.results import download
from webapp.labs.authorization import may
from webapp.labs.permissions import Permission


class Jobs(generics.GenericAPIView[Job]):
    needs: Needs = {"GET": Permission.USE_TOKENS, "POST": Permission.USE_TOKENS}
    serializer_class = JobSerializer
    pagination_class = NewestFirst

    @extend_schema(operation_id="jobs_list", responses=JobSerializer(many=True))
    def get(self, request: Request) -> Response:
        """One's own jobs in this lab, newest first."""
        page = self.paginate_queryset(selectors.jobs_of(membership_of(request)))
        return self.get_paginated_response(JobSerializer(page or [], many=True).data)

    @extend_schema(request=NewJobSerializer, responses={201: JobSerializer})
    def post(self, request: Request) -> Response:
        """Start a job. Its kind asks for a permission of its own: `audit_csv` for `view_audit`."""
        asked = NewJobSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        kind = KINDS[asked.validated_data["kind"]]
        if not may(membership_of(request), kind.needs):
            raise exceptions.PermissionDenied(_("Your role in this lab does not allow this."))
        try:
            job = services.start(membership_of(request), kind, asked.validated_data["parameters"])
        except services.TooManyJobs as error:
            raise Conflict(str(error), "too_many_jobs") from error
        except ValueError as error:
            raise exceptions.ValidationError({"parameters": [str(error)]}) from error
        return Response(JobSerializer(job).data, status=status.HTTP_201_CREATED)


class JobDetail(generics.GenericAPIView[Job]):
    needs: Needs = {"GET": Permission.USE_TOKENS}
    serializer_class = JobSerializer

    def get(self, request: Request, job_id: UUID) -> Response:
        """How far one of one's own jobs is."""
        return Response(JobSerializer(_job(request, job_id)).data)


class CancelJob(generics.GenericAPIView[Job]):
    needs: Needs = {"POST": Permission.USE_TOKENS}
    serializer_class = JobSerializer

    @extend_schema(request=None)
    def post(self, request: Request, job_id: UUID) -> Response:
        """Have a job end before its next piece; one that has ended stays as it is."""
        services.cancel(_job(request, job_id))
        return Response(JobSerializer(_job(request, job_id)).data)


class JobResult(APIView):
    needs: Needs = {"GET": Permission.USE_TOKENS}

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, job_id: UUID) -> StreamingHttpResponse:
        """The file that a job made."""
        job = _job(request, job_id)
        if not selectors.can_fetch(membership_of(request), job):
            raise Http404
        return download(job)


def _job(request: Request, job_id: UUID) -> Job:
    job = selectors.job_of(membership_of(request), job_id)
    if job is None:
        raise Http404
    return job
