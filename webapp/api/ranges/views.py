"""The lab's reference ranges: what counts, what is proposed, and who approved it."""

from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import exceptions, generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.permissions import Needs, membership_of
from webapp.api.ranges.serializers import (
    ChosenSerializer,
    CorrectionSerializer,
    GroupSerializer,
    ProposalSerializer,
    ProposedSerializer,
    RangeSerializer,
    RangesSerializer,
)
from webapp.labs.permissions import Permission
from webapp.ranges import selectors, services
from webapp.ranges.models import ReferenceRange
from webapp.ranges.tables import InvalidTable, as_download, parse, shipped


class Ranges(generics.GenericAPIView[ReferenceRange]):
    needs: Needs = {"GET": Permission.VIEW_CASES, "POST": Permission.APPROVE}
    serializer_class = RangesSerializer
    pagination_class = None

    @extend_schema(operation_id="lab_ranges")
    def get(self, request: Request) -> Response:
        """The ranges by which counts are judged, and those that are proposed."""
        lab = membership_of(request).lab
        found = selectors.groups(lab.id)
        body = {
            "nrbc_correction_from": lab.nrbc_correction_from,
            "approved": [row for group in found for row in group.valid],
            "proposed": [one.row for group in found for one in group.proposals],
        }
        return Response(RangesSerializer(body).data)

    @extend_schema(
        operation_id="lab_ranges_propose",
        request=ProposalSerializer,
        responses={200: ProposedSerializer, 201: ProposedSerializer},
    )
    def post(self, request: Request) -> Response:
        """Propose ranges. They count for nothing until somebody approves them."""
        membership = membership_of(request)
        asked = ProposalSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        rows = _rows(given)
        if given["dry_run"]:
            return Response(ProposedSerializer({"proposed": [], "n": len(rows)}).data)
        made = services.propose(membership.lab, rows, by=membership.user)
        body = ProposedSerializer({"proposed": made, "n": len(rows)}).data
        return Response(body, status=status.HTTP_201_CREATED)


class Export(generics.GenericAPIView[ReferenceRange]):
    needs: Needs = {"GET": Permission.VIEW_CASES}

    @extend_schema(
        operation_id="lab_ranges_export", responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR)}
    )
    def get(self, request: Request) -> HttpResponseBase:
        """What counts, as CSV; `table` of a proposal takes it."""
        return StreamingHttpResponse(
            as_download(selectors.valid_now(membership_of(request).lab_id)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="ranges.csv"'},
        )


class Approve(generics.GenericAPIView[ReferenceRange]):
    needs: Needs = {"POST": Permission.APPROVE}
    serializer_class = ChosenSerializer

    @extend_schema(operation_id="lab_ranges_approve", responses=RangeSerializer(many=True))
    def post(self, request: Request) -> Response:
        """Have proposed ranges count from now on; those that they take the place of are retired.

        409 `ranges_not_whole`: some age would have no range, or more than one.
        """
        membership = membership_of(request)
        made = services.approve(membership.lab, _chosen(request), by=membership.user)
        rows = selectors.valid_now(membership.lab_id).filter(id__in=[row.pk for row in made])
        return Response(RangeSerializer(rows.order_by("id"), many=True).data)


class Withdraw(generics.GenericAPIView[ReferenceRange]):
    needs: Needs = {"POST": Permission.APPROVE}
    serializer_class = ChosenSerializer

    @extend_schema(operation_id="lab_ranges_withdraw", responses={204: None})
    def post(self, request: Request) -> Response:
        """Take back proposed ranges."""
        services.withdraw(membership_of(request).lab, _chosen(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class Retire(generics.GenericAPIView[ReferenceRange]):
    needs: Needs = {"POST": Permission.APPROVE}
    serializer_class = GroupSerializer

    @extend_schema(operation_id="lab_ranges_retire", responses={204: None})
    def post(self, request: Request) -> Response:
        """Have no range for a class in a quantity any more."""
        membership = membership_of(request)
        asked = GroupSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        services.retire(membership.lab, given["class"], given["quantity"], by=membership.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Correction(generics.GenericAPIView[ReferenceRange]):
    needs: Needs = {"POST": Permission.APPROVE}
    serializer_class = CorrectionSerializer

    @extend_schema(operation_id="lab_ranges_correction", responses=CorrectionSerializer)
    def post(self, request: Request) -> Response:
        """Set from how many erythroblasts on an analyser's count of white cells is corrected."""
        asked = CorrectionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        services.set_correction(membership_of(request).lab, **asked.validated_data)
        return Response(asked.data)


def _chosen(request: Request) -> list[int]:
    asked = ChosenSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    found: list[int] = asked.validated_data["ids"]
    return found


def _rows(given: dict[str, Any]) -> Any:
    if given["shipped"]:
        return shipped()
    if "table" not in given:
        return ProposalSerializer.values(given)
    try:
        return parse(given["table"])
    except InvalidTable as error:
        lines: dict[str, list[str]] = {}
        for one in error.errors:
            message = f"{one.column}: {one.message}" if one.column else one.message
            lines.setdefault(str(one.line), []).append(message)
        raise exceptions.ValidationError({"table": lines}) from error
