"""A patient's earlier signed results."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import exceptions, generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.permissions import Needs, membership_of
from webapp.cases.disclosure import open_case
from webapp.inference.selectors import class_name
from webapp.labs.permissions import Permission
from webapp.ranges.models import Quantity
from webapp.results import history
from webapp.results.history import Column, Row, Value

PROBLEMS = [("", ""), ("unreadable", "unreadable"), ("altered", "altered")]


class HistoryValueSerializer(serializers.Serializer[Value]):
    """A class in one result, as it was signed."""

    count = serializers.IntegerField()
    percent = serializers.CharField(
        allow_null=True, help_text="Of white cells; for erythroblasts and smudge cells per 100 white cells."
    )
    absolute = serializers.CharField(allow_null=True, help_text="10⁹/L.")
    flags = serializers.ListField(child=serializers.CharField())


class HistoryResultSerializer(serializers.Serializer[Column]):
    """A result: one that holds, or the case itself as it is read now."""

    case = serializers.UUIDField()
    accession = serializers.CharField()
    at = serializers.DateTimeField(help_text="When the specimen was collected, as far as it is known.")
    result = serializers.UUIDField(
        allow_null=True, help_text="Null: of the case as it is read now, unsigned."
    )
    version = serializers.IntegerField(allow_null=True)
    reading = serializers.IntegerField(allow_null=True, help_text="Whose cells were counted.")
    is_being_amended = serializers.BooleanField()
    white_cells = serializers.IntegerField(allow_null=True, help_text="That were counted.")
    wbc = serializers.CharField(allow_null=True, help_text="10⁹/L, without erythroblasts.")
    problem = serializers.ChoiceField(
        PROBLEMS, help_text="Why nothing of it is told: it cannot be decrypted, or its digest is another."
    )


class HistoryChangeSerializer(serializers.Serializer[Any]):
    quantity = serializers.ChoiceField(Quantity.choices)
    before = serializers.CharField()
    now = serializers.CharField()
    by = serializers.CharField()
    percent = serializers.CharField(allow_null=True, help_text="Of what it was; null: it was 0.")
    marked = serializers.SerializerMethodField(help_text="Whether it reaches a limit of the lab's.")

    def get_marked(self, change: Any) -> bool:
        return bool(change.marked)


class HistoryRowSerializer(serializers.Serializer[Row]):
    """A class over all results; `values` has one for each of `results`."""

    name = serializers.SerializerMethodField()
    values = serializers.ListField(child=HistoryValueSerializer(allow_null=True))
    changes = HistoryChangeSerializer(
        many=True, help_text="Since the last result of which something can be told."
    )

    def get_fields(self) -> dict[str, Any]:
        return {"class": serializers.CharField(source="code"), **super().get_fields()}

    @extend_schema_field(serializers.CharField())
    def get_name(self, row: Row) -> str:
        return class_name(row.code)


class HistorySerializer(serializers.Serializer[history.History]):
    """Signed results of the patient's cases, oldest first, and the case itself last."""

    results = HistoryResultSerializer(many=True, source="columns")
    has_now = serializers.BooleanField(help_text="Whether the last one is the case itself.")
    rows = HistoryRowSerializer(many=True)
    older = serializers.CharField(help_text="`before` of the results before these; empty: there are none.")


class CaseHistory(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_IDENTIFIERS}
    serializer_class = HistorySerializer
    pagination_class = None

    @extend_schema(
        operation_id="cases_history",
        parameters=[OpenApiParameter("before", str, description="What `older` said.")],
    )
    def get(self, request: Request, case_id: UUID) -> Response:
        """The patient's signed results until this case's specimen, and what changed since the last.

        Of each case the version that holds. Versions that were superseded, and void ones, do not count.
        """
        case = open_case(case_id)
        given = request.query_params.get("before", "")
        try:
            before = history.Place.read(given) if given else None
        except ValueError as error:
            raise exceptions.ValidationError({"before": [_("There is no such place.")]}) from error
        found = history.shown(case, membership_of(request).user, before)
        return Response(HistorySerializer(found).data)
