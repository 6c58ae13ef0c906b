"""The worklist: which cases are work, whose they are, and filters that one keeps."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.permissions import Needs, membership_of
from webapp.api.worklist.serializers import (
    AssigneeSerializer,
    CaseOfWorklistSerializer,
    CountsSerializer,
    PersonSerializer,
    SavedFilterSerializer,
    TakeSerializer,
    TurnaroundSerializer,
    WorklistQuerySerializer,
    WorklistSerializer,
)
from webapp.cases.disclosure import open_case
from webapp.cases.models import Case
from webapp.labs.models import Lab
from webapp.labs.permissions import Permission
from webapp.worklist import assigning, saving, selectors
from webapp.worklist.models import SavedFilter
from webapp.worklist.people import people
from webapp.worklist.turnaround import change_turnaround


class Worklist(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = WorklistSerializer
    pagination_class = None

    @extend_schema(operation_id="worklist", parameters=[WorklistQuerySerializer])
    def get(self, request: Request) -> Response:
        """The lab's cases as work: without a filter what is not finished, what is due first."""
        asked = WorklistQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        size = given["page_size"]
        try:
            found = selectors.page(
                membership_of(request),
                given["wanted"],
                size + 1,
                prefix=given.get("accession", ""),
                after=given.get("after"),
            )
        except selectors.NoSuchPlace as error:
            raise exceptions.ValidationError({"after": [_("No case of this lab has this id.")]}) from error
        shown = found[:size]
        answer = {"next": shown[-1].id if len(found) > size else None, "results": shown}
        context = {"without_flags": {one.id for one in shown if selectors.is_without_flags(one)}}
        return Response(WorklistSerializer(answer, context=context).data)


class WorklistCounts(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = CountsSerializer
    pagination_class = None

    @extend_schema(operation_id="worklist_counts")
    def get(self, request: Request) -> Response:
        """How many cases are work, by state."""
        return Response(CountsSerializer(selectors.counts(membership_of(request))).data)


class People(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = PersonSerializer
    pagination_class = None

    @extend_schema(operation_id="worklist_people", responses=PersonSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Whose work cases may be: the lab's people who decide or sign."""
        found = [{"id": one.user_id, "name": str(one.user)} for one in people(membership_of(request).lab)]
        return Response(PersonSerializer(found, many=True).data)


class Turnaround(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_CASES, "PUT": Permission.MANAGE_LAB}
    serializer_class = TurnaroundSerializer
    pagination_class = None

    @extend_schema(operation_id="lab_turnaround")
    def get(self, request: Request) -> Response:
        """In how many hours from receipt the lab's results are due, by priority."""
        return Response(_turnaround(membership_of(request).lab_id))

    @extend_schema(operation_id="lab_turnaround_set")
    def put(self, request: Request) -> Response:
        """Set it. It holds for the cases under way, too."""
        asked = TurnaroundSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        lab = membership_of(request).lab
        change_turnaround(lab, **asked.validated_data)
        return Response(_turnaround(lab.id))


class Take(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.DECIDE}
    serializer_class = TakeSerializer

    @extend_schema(operation_id="worklist_take", responses=CaseOfWorklistSerializer)
    def post(self, request: Request, case_id: UUID) -> Response:
        """Make a case one's own work: nobody's, or, with `instead_of`, somebody's."""
        case = open_case(case_id)
        asked = TakeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        me = membership_of(request).user
        taken = assigning.assign(case, me, by=me, instead_of=asked.validated_data["instead_of"])
        return Response(CaseOfWorklistSerializer(taken, context=_told(request, taken)).data)


class Release(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.DECIDE}
    serializer_class = CaseOfWorklistSerializer

    @extend_schema(operation_id="worklist_release", request=None)
    def post(self, request: Request, case_id: UUID) -> Response:
        """Make one's own case nobody's."""
        me = membership_of(request).user
        released = assigning.assign(open_case(case_id), None, by=me, instead_of=me.pk)
        return Response(CaseOfWorklistSerializer(released, context=_told(request, released)).data)


class Assignee(generics.GenericAPIView[Any]):
    needs: Needs = {"PUT": Permission.ASSIGN}
    serializer_class = AssigneeSerializer

    @extend_schema(operation_id="worklist_assign", responses=CaseOfWorklistSerializer)
    def put(self, request: Request, case_id: UUID) -> Response:
        """Make a case the work of one of the lab's people, or nobody's."""
        case, membership = open_case(case_id), membership_of(request)
        asked = AssigneeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        found = {one.user_id: one.user for one in people(membership.lab)}
        if given["assignee"] is not None and given["assignee"] not in found:
            raise exceptions.ValidationError({"assignee": [_("Nobody of this lab who decides or signs.")]})
        to = found.get(given["assignee"])
        changed = assigning.assign(case, to, by=membership.user, instead_of=given["instead_of"])
        return Response(CaseOfWorklistSerializer(changed, context=_told(request, changed)).data)


class SavedFilters(generics.GenericAPIView[SavedFilter]):
    needs: Needs = {"GET": Permission.VIEW_CASES, "POST": Permission.VIEW_CASES}
    serializer_class = SavedFilterSerializer
    pagination_class = None

    @extend_schema(operation_id="worklist_filters", responses=SavedFilterSerializer(many=True))
    def get(self, request: Request) -> Response:
        """One's own filters, by name."""
        found = selectors.saved_filters(membership_of(request))
        return Response(SavedFilterSerializer(found, many=True).data)

    @extend_schema(operation_id="worklist_save_filter", responses={201: SavedFilterSerializer})
    def post(self, request: Request) -> Response:
        """Keep a filter under a name."""
        asked = SavedFilterSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        saved = saving.save(
            membership_of(request),
            name=given["name"],
            wanted=given["query"]["wanted"],
            is_default=given.get("is_default", False),
        )
        return Response(SavedFilterSerializer(saved).data, status=status.HTTP_201_CREATED)


class OneSavedFilter(generics.GenericAPIView[SavedFilter]):
    needs: Needs = {"PATCH": Permission.VIEW_CASES, "DELETE": Permission.VIEW_CASES}
    serializer_class = SavedFilterSerializer

    @extend_schema(operation_id="worklist_change_filter")
    def patch(self, request: Request, filter_id: int) -> Response:
        """Give a filter another name, ask for something else by it, have the worklist begin with it."""
        saved = self._found(request, filter_id)
        asked = SavedFilterSerializer(data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        changed = saving.change(
            saved,
            name=given.get("name"),
            wanted=given["query"]["wanted"] if "query" in given else None,
            is_default=given.get("is_default"),
        )
        return Response(SavedFilterSerializer(changed).data)

    @extend_schema(operation_id="worklist_delete_filter", responses={204: None})
    def delete(self, request: Request, filter_id: int) -> Response:
        """Delete one of one's own filters."""
        saving.delete(self._found(request, filter_id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _found(self, request: Request, filter_id: int) -> SavedFilter:
        return get_object_or_404(selectors.saved_filters(membership_of(request)), id=filter_id)


def _told(request: Request, case: Case) -> dict[str, Any]:
    """By what a single case is shown."""
    return {"without_flags": selectors.without_flags(membership_of(request).user, [case])}


def _turnaround(lab_id: UUID) -> dict[str, int | None]:
    lab = Lab.objects.get(id=lab_id)
    return {name: getattr(lab, f"turnaround_{name}") for name in ("stat", "urgent", "routine")}
