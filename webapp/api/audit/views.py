"""The lab's audit trail over HTTP."""

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.api.audit.serializers import EntryQuerySerializer, EntrySerializer
from webapp.api.pagination import ByPlace
from webapp.api.permissions import Needs, membership_of
from webapp.audit import selectors
from webapp.audit.export import Format, export
from webapp.audit.models import Entry
from webapp.audit.selectors import Filters
from webapp.labs.permissions import Permission


class AuditTrail(generics.GenericAPIView[Entry]):
    needs: Needs = {"GET": Permission.VIEW_AUDIT}
    serializer_class = EntrySerializer
    pagination_class = ByPlace

    @extend_schema(
        operation_id="audit_list", parameters=[EntryQuerySerializer], responses=EntrySerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """Who did what in the lab, newest first."""
        page = self.paginate_queryset(selectors.entries(membership_of(request).lab_id, _filters(request)))
        return self.get_paginated_response(EntrySerializer(page or [], many=True).data)


class AuditExport(APIView):
    needs: Needs = {"GET": Permission.VIEW_AUDIT}
    form = Format.CSV

    @extend_schema(
        parameters=[EntryQuerySerializer],
        responses={(200, "text/csv"): OpenApiTypes.STR, (200, "application/jsonl"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """All of it, oldest first, as a file: CSV, or JSON Lines whose hashes anybody can check."""
        return export(membership_of(request).lab_id, _filters(request), self.form)


def _filters(request: Request) -> Filters:
    asked = EntryQuerySerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    return Filters(**asked.validated_data)
