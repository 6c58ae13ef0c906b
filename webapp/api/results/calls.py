"""Calls about critical results: which are due, and what came of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import exceptions, generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.fields import WrittenField
from webapp.api.pagination import NewestFirst
from webapp.api.permissions import Needs, membership_of
from webapp.cases.disclosure import found, open_case
from webapp.cases.models import Case
from webapp.crypto.cipher import Unreadable
from webapp.labs.models import Membership
from webapp.labs.permissions import Permission
from webapp.results import calls
from webapp.results.models import CallEntry, CriticalCall

STATES = [("open", "open"), ("overdue", "overdue"), ("ended", "ended")]


class LatestSignedFirst(NewestFirst):
    ordering = "-since"


class CriticalValueSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    percent = serializers.CharField(allow_null=True)
    absolute = serializers.CharField(allow_null=True, help_text="10⁹/L.")
    flags = serializers.ListField(child=serializers.CharField())

    def get_fields(self) -> dict[str, Any]:
        return {"class": serializers.CharField(source="cell_class"), **super().get_fields()}


class CallSerializer(serializers.ModelSerializer[CriticalCall]):
    accession = serializers.CharField(source="case.accession")
    result = serializers.UUIDField(source="result_id")
    version = serializers.IntegerField(source="result.version")
    is_overdue = serializers.BooleanField()
    ending = serializers.ChoiceField(
        [("", ""), *CriticalCall.Ending.choices], help_text="Empty: somebody is still to be told."
    )
    values = serializers.SerializerMethodField(help_text="Null: they cannot be decrypted.")

    class Meta:
        model = CriticalCall
        fields: tuple[str, ...] = (
            *("id", "case", "accession", "result", "version", "since", "due_at", "is_overdue"),
            *("ended_at", "ending", "values"),
        )

    @extend_schema_field(CriticalValueSerializer(many=True, allow_null=True))
    def get_values(self, call: CriticalCall) -> Any:
        try:
            return CriticalValueSerializer(calls.critical_values(call.result), many=True).data
        except Unreadable:
            return None


class CallEntrySerializer(serializers.Serializer[Any]):
    """Something that was written down about a call."""

    id = serializers.UUIDField(source="entry.id")
    outcome = serializers.ChoiceField(CallEntry.Outcome.choices, source="entry.outcome")
    at = serializers.DateTimeField(source="entry.at")
    by = serializers.CharField(source="entry.by", help_text="The name of who called.")
    recorded_at = serializers.DateTimeField(source="entry.recorded_at")
    whom = serializers.CharField(allow_null=True, help_text="Null: not for you, or it cannot be decrypted.")
    contact = serializers.CharField(allow_null=True, help_text="Their role, or the number that was called.")


class CallOfCaseSerializer(CallSerializer):
    entries = serializers.SerializerMethodField()

    class Meta(CallSerializer.Meta):
        fields = (*CallSerializer.Meta.fields, "entries")

    @extend_schema_field(CallEntrySerializer(many=True))
    def get_entries(self, call: CriticalCall) -> Any:
        return CallEntrySerializer(self.context["entries"][call.id], many=True).data


class NewCallEntrySerializer(serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(
        CallEntry.Outcome.choices,
        help_text="`read_back` ends the call: they were told, and read the values back.",
    )
    at = serializers.DateTimeField(help_text="When it was: after the signature, and not to come.")
    whom = WrittenField(max_length=calls.WHOM_LENGTH)
    contact = WrittenField(max_length=calls.CONTACT_LENGTH, required=False, allow_blank=True, default="")


class CriticalCalls(generics.GenericAPIView[CriticalCall]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = CallSerializer
    pagination_class = LatestSignedFirst

    @extend_schema(
        operation_id="critical_calls_list",
        parameters=[OpenApiParameter("state", str, enum=[one for one, _label in STATES])],
        responses=CallSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """The calls about critical results that somebody is still to make; or overdue ones, or ended ones."""
        page = self.paginate_queryset(self._found(request.query_params.get("state", "open"))) or []
        return self.get_paginated_response(CallSerializer(page, many=True).data)

    @staticmethod
    def _found(state: str) -> "QuerySet[CriticalCall]":
        if state == "open":
            return calls.open_calls()
        if state == "overdue":
            return calls.overdue(calls.open_calls())
        if state == "ended":
            return calls.ended_calls()
        raise exceptions.ValidationError({"state": [_("There is no such state.")]})


class CaseCalls(generics.GenericAPIView[CriticalCall]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = CallOfCaseSerializer
    pagination_class = None

    @extend_schema(operation_id="cases_calls_list", responses=CallOfCaseSerializer(many=True))
    def get(self, request: Request, case_id: UUID) -> Response:
        """The calls about the case's critical results, the latest first, with what was written down."""
        case = open_case(case_id)
        these = list(calls.calls().filter(case=case).order_by("-since", "-id"))
        return Response(_answer(case, these, membership_of(request)))


class CallLog(generics.GenericAPIView[CriticalCall]):
    needs: Needs = {"POST": Permission.DECIDE}
    serializer_class = NewCallEntrySerializer

    @extend_schema(operation_id="call_log", responses={201: CallOfCaseSerializer})
    def post(self, request: Request, call_id: UUID) -> Response:
        """Write down that you called about a critical result, and what came of it."""
        membership = membership_of(request)
        call = found(calls.calls(), call_id, "call")
        case = open_case(call.case_id)
        asked = NewCallEntrySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            calls.log(call, by=membership.user, **asked.validated_data)
        except calls.WrongTime as error:
            raise exceptions.ValidationError({"at": [str(error)]}) from error
        now = calls.calls().get(id=call.id)
        return Response(_answer(case, [now], membership)[0], status=status.HTTP_201_CREATED)


def _answer(case: Case, these: Sequence[CriticalCall], membership: Membership) -> Any:
    texts = membership.may(Permission.VIEW_IDENTIFIERS)
    context = {"entries": calls.entries_shown(case, these, texts=texts)}
    return CallOfCaseSerializer(these, many=True, context=context).data
