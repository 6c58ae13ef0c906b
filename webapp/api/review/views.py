"""Readings of a case: its cells as a person goes through them, what they decide, and what others did."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.permissions import Needs, membership_of
from webapp.api.review.serializers import (
    CellOfReadingSerializer,
    CellsQuerySerializer,
    CellsSerializer,
    ChangesQuerySerializer,
    ChangesSerializer,
    ClassSerializer,
    GestureSerializer,
    NewReadingSerializer,
    OutcomeSerializer,
    ReadingDetailSerializer,
    ReadingSerializer,
    SimilarQuerySerializer,
    SimilarSerializer,
)
from webapp.cases.disclosure import open_case
from webapp.inference.selectors import times_rerun
from webapp.labs.authorization import may
from webapp.labs.permissions import Permission
from webapp.results.answers import sheets_json
from webapp.results.flagging import keep_flags
from webapp.results.sheets import Sheets, sheets
from webapp.review import cells, disclosure, selectors, services
from webapp.review.answers import cells_json, drawn_json
from webapp.review.models import Reading
from webapp.review.permissions import NEEDED, may_decide


class Classes(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = ClassSerializer
    pagination_class = None

    @extend_schema(operation_id="classes_list", responses=ClassSerializer(many=True))
    def get(self, request: Request) -> Response:
        """What the lab's people may say of a cell, in the order of its reports."""
        return Response(ClassSerializer(membership_of(request).lab.cell_classes, many=True).data)


class Readings(generics.GenericAPIView[Reading]):
    needs: Needs = {"GET": Permission.VIEW_CASES, "POST": Permission.DECIDE}
    serializer_class = ReadingSerializer
    pagination_class = None

    @extend_schema(operation_id="readings_list", responses=ReadingSerializer(many=True))
    def get(self, request: Request, case_id: UUID) -> Response:
        """The case's readings that one may see."""
        case = open_case(case_id)
        found = selectors.readings(membership_of(request).user).filter(case=case).order_by("id")
        return Response(ReadingSerializer(found, many=True).data)

    @extend_schema(request=NewReadingSerializer, responses={200: ReadingSerializer, 201: ReadingSerializer})
    def post(self, request: Request, case_id: UUID) -> Response:
        """Open the case's first reading, or one's own second: the one that is there, or a new one."""
        asked = NewReadingSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        kind, membership = Reading.Kind(asked.validated_data["kind"]), membership_of(request)
        if not all(may(membership, permission) for permission in NEEDED[kind]):
            raise exceptions.PermissionDenied
        case = open_case(case_id)
        try:
            reading = services.open_reading(
                case, kind, reader=membership.user, blinded=asked.validated_data["blinded"]
            )
        except services.ReadsBlinded as error:
            raise exceptions.NotFound from error
        code = status.HTTP_201_CREATED if reading.is_new else status.HTTP_200_OK
        return Response(ReadingSerializer(reading).data, status=code)


class ReadingDetail(generics.GenericAPIView[Reading]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = ReadingDetailSerializer

    def get(self, request: Request, reading_id: int) -> Response:
        """A reading, with the classes that the lab uses and both differentials."""
        membership = membership_of(request)
        reading = disclosure.shown(reading_id, membership.user)
        now = may_decide(membership, reading) and not reading.is_over
        context = {"differential": _differential(request, _sheets(reading)), "may_decide": now}
        return Response(ReadingDetailSerializer(reading, context=context).data)


class Cells(generics.GenericAPIView[Reading]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = CellsSerializer

    @extend_schema(operation_id="reading_cells", parameters=[CellsQuerySerializer], responses=CellsSerializer)
    def get(self, request: Request, reading_id: int) -> Response:
        """The cells of the case as the reading has them: by class, what must be looked at first.

        Without `class` the first sections come whole, until `limit`. In a section those that nobody decided
        come first, least sure first.
        """
        asked = CellsQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        reading = disclosure.shown(reading_id, membership_of(request).user)
        given = dict(asked.validated_data)
        limit, code, after = given.pop("limit"), given.pop("class", ""), given.pop("after")
        wanted = cells.Wanted(**given)
        return Response(cells_json(reading, wanted, _mosaic, limit=limit, code=code, after=after))


class CellDetail(generics.GenericAPIView[Reading]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = CellOfReadingSerializer

    @extend_schema(operation_id="reading_cell")
    def get(self, request: Request, reading_id: int, cell_id: int) -> Response:
        """What was last decided of a cell, and by whom."""
        membership = membership_of(request)
        reading = disclosure.shown(reading_id, membership.user)
        cell = disclosure.cell_shown(reading, cell_id)
        said = disclosure.said(reading, cell, texts=membership.may(Permission.VIEW_IDENTIFIERS))
        found = {"cell": cell.pk, "file": cell.image.name, "decision": said}
        return Response(CellOfReadingSerializer(found).data)


class Similar(generics.GenericAPIView[Reading]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = SimilarSerializer

    @extend_schema(
        operation_id="reading_similar", parameters=[SimilarQuerySerializer], responses=SimilarSerializer
    )
    def get(self, request: Request, reading_id: int, cell_id: int) -> Response:
        """The cells of the case that look most like one of them, nearest first."""
        asked = SimilarQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        reading = disclosure.shown(reading_id, membership_of(request).user)
        cell = disclosure.cell_shown(reading, cell_id)
        found = cells.similar(reading, cell, asked.validated_data["limit"])
        shown, mosaics = drawn_json(reading, found, _mosaic)
        return Response({"cells": shown, "mosaics": mosaics, "people": cells.people(row.by for row in found)})


class Decisions(generics.GenericAPIView[Reading]):
    needs: Needs = {"POST": Permission.DECIDE}
    serializer_class = GestureSerializer

    @extend_schema(operation_id="decide", responses={200: OutcomeSerializer})
    def post(self, request: Request, reading_id: int) -> Response:
        """Decide, confirm or undo: up to 1,000 cells at once, all of them or none.

        Cells that another client decided since `base_revision` stay as they are and come back in `conflicts`.
        A gesture that is sent again is done once. `changes` is what others decided since `base_revision`.
        """
        membership = membership_of(request)
        reading = disclosure.shown(reading_id, membership.user)
        asked = GestureSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if not may_decide(membership, reading):
            raise exceptions.PermissionDenied
        outcome = _done(reading, membership.user, asked.validated_data)
        applied = cells.applied(outcome.gesture)
        decided = {cell for cell, *_ in applied}
        conflicts = cells.conflicts(reading, [cell for cell in outcome.cells if cell not in decided])
        changes = cells.changes(reading, asked.validated_data["base_revision"], but=outcome.gesture)
        found = _sheets(reading)
        if applied:
            keep_flags(reading.case, reading, found)
        answer = {
            "revision": reading.revision,
            "suggestions": times_rerun(reading.case),
            "applied": [[cell, code or None, int(confirmed)] for cell, code, confirmed in applied],
            "conflicts": conflicts,
            "changes": changes,
            "people": cells.people(change.by for change in (*conflicts, *changes)),
            "differential": _differential(request, found),
        }
        return Response(OutcomeSerializer(answer).data)


class Changes(generics.GenericAPIView[Reading]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = ChangesSerializer

    @extend_schema(
        operation_id="reading_changes",
        parameters=[ChangesQuerySerializer],
        responses={200: ChangesSerializer, 204: None},
    )
    def get(self, request: Request, reading_id: int) -> Response:
        """What was decided since a revision, and that the model was asked again; nothing without either."""
        asked = ChangesQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        reading, since = (
            disclosure.shown(reading_id, membership_of(request).user),
            asked.validated_data["since"],
        )
        if since > reading.revision:
            raise _not_reached("since")
        rerun = times_rerun(reading.case)
        if since == reading.revision and asked.validated_data.get("suggestions", rerun) == rerun:
            return Response(status=status.HTTP_204_NO_CONTENT)
        found = cells.changes(reading, since)
        answer = {
            "revision": reading.revision,
            "suggestions": rerun,
            "changes": found,
            "people": cells.people(change.by for change in found),
            "differential": _differential(request, _sheets(reading)),
        }
        return Response(ChangesSerializer(answer).data)


def _mosaic(case_id: UUID, cell_ids: list[int]) -> str:
    return reverse("ui:mosaic", args=[case_id, cell_ids])


def _differential(request: Request, found: Sheets) -> dict[str, Any]:
    return sheets_json(found.shown(identifiers=membership_of(request).may(Permission.VIEW_IDENTIFIERS)))


def _sheets(reading: Reading) -> Sheets:
    return sheets(reading.case, selectors.counts_of(reading.case, reading), reading.lab)


def _done(reading: Reading, by: Any, given: dict[str, Any]) -> services.Outcome:
    """Do the gesture that was asked for.

    Raises:
        ValidationError: nothing of it can be done; it names the cells.
    """
    sent = services.Sent(id=given["gesture"], client=given["client"], base_revision=given["base_revision"])
    name = next(name for name in ("decisions", "confirm", "undo") if name in given)
    try:
        if name == "undo":
            return services.undo(reading, given["undo"], by=by, sent=sent)
        if name == "confirm":
            return services.confirm(reading, given["confirm"], by=by, sent=sent, seen=given.get("seen", ()))
        choices = [
            services.Choice(one["cell"], one["class"], one.get("words", "")) for one in given["decisions"]
        ]
        return services.decide(reading, choices, by=by, sent=sent)
    except services.NotReached as error:
        raise _not_reached("base_revision") from error
    except services.NoGesture as error:
        raise exceptions.ValidationError(
            {"undo": [_("You made no such gesture in this reading.")]}
        ) from error
    except services.UnknownClass as error:
        raise _of_cells(name, error.cells, _("There is no such class.")) from error
    except services.ClassNotUsed as error:
        raise _of_cells(name, error.cells, _("The lab does not use this class.")) from error
    except services.NotInCase as error:
        raise _of_cells(name, error.cells, _("There is no such cell in this case.")) from error


def _of_cells(name: str, found: Iterable[int], message: str) -> exceptions.ValidationError:
    return exceptions.ValidationError({name: {str(cell): [message] for cell in found}})


def _not_reached(name: str) -> exceptions.ValidationError:
    return exceptions.ValidationError({name: [_("The reading has not come that far. Load it anew.")]})
