"""From which change on a lab wants values marked."""

from decimal import Decimal
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.permissions import Needs, membership_of
from webapp.hematology.classes import REPORT_ORDER
from webapp.labs.permissions import Permission
from webapp.ranges.models import Quantity
from webapp.results import delta_limits
from webapp.results.models import DeltaLimit


class DeltaLimitSerializer(serializers.ModelSerializer[DeltaLimit]):
    quantity = serializers.ChoiceField(Quantity.choices)
    change = serializers.DecimalField(max_digits=7, decimal_places=3, min_value=Decimal("0.001"))
    is_relative = serializers.BooleanField(help_text="In per cent of the value before; else in its own unit.")
    days = serializers.IntegerField(min_value=1, max_value=delta_limits.LONGEST)
    counts = serializers.BooleanField(read_only=True, help_text="Approved, and not retired.")
    proposed_by = serializers.CharField(read_only=True)
    approved_by = serializers.CharField(read_only=True, allow_null=True)
    retired_by = serializers.CharField(read_only=True, allow_null=True)

    class Meta:
        model = DeltaLimit
        fields = (
            *("id", "quantity", "change", "is_relative", "days", "counts", "proposed_by", "proposed_at"),
            *("approved_by", "approved_at", "retired_by", "retired_at"),
        )
        read_only_fields = ("proposed_at", "approved_at", "retired_at")

    def get_fields(self) -> dict[str, Any]:
        choices = [(code, code) for code in REPORT_ORDER if delta_limits.quantities(code)]
        code = serializers.ChoiceField(choices, source="cell_class")
        return {"class": code, **super().get_fields()}


class DeltaLimits(generics.GenericAPIView[DeltaLimit]):
    needs: Needs = {"GET": Permission.VIEW_CASES, "POST": Permission.APPROVE}
    serializer_class = DeltaLimitSerializer
    pagination_class = None

    @extend_schema(operation_id="lab_delta_limits_list", responses=DeltaLimitSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All limits of the lab's, latest first; those count that were approved and not retired."""
        found = delta_limits.of_lab(membership_of(request).lab)
        return Response(DeltaLimitSerializer(found, many=True).data)

    @extend_schema(operation_id="lab_delta_limits_propose", responses={201: DeltaLimitSerializer})
    def post(self, request: Request) -> Response:
        """Propose one. It counts for nothing until it is approved."""
        asked = DeltaLimitSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        membership = membership_of(request)
        try:
            limit = delta_limits.propose(membership.lab, by=membership.user, **asked.validated_data)
        except delta_limits.NoSuchQuantity as error:
            raise exceptions.ValidationError({"quantity": [str(error)]}) from error
        limit.refresh_from_db()
        return Response(DeltaLimitSerializer(limit).data, status=status.HTTP_201_CREATED)


class _Deed(generics.GenericAPIView[DeltaLimit]):
    needs: Needs = {"POST": Permission.APPROVE}
    serializer_class = DeltaLimitSerializer

    def done(self, request: Request, limit_id: int, deed: Any) -> Response:
        limits = delta_limits.of_lab(membership_of(request).lab)
        deed(get_object_or_404(limits, id=limit_id), by=membership_of(request).user)
        return Response(DeltaLimitSerializer(limits.get(id=limit_id)).data)


class Approve(_Deed):
    @extend_schema(operation_id="lab_delta_limit_approve", request=None, responses=DeltaLimitSerializer)
    def post(self, request: Request, limit_id: int) -> Response:
        """Let it count from now on."""
        return self.done(request, limit_id, delta_limits.approve)


class Retire(_Deed):
    @extend_schema(operation_id="lab_delta_limit_retire", request=None, responses=DeltaLimitSerializer)
    def post(self, request: Request, limit_id: int) -> Response:
        """End it, or take it back before it counts."""
        return self.done(request, limit_id, delta_limits.retire)
