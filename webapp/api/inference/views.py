"""Predictions, their evidence, and dead letters."""

from uuid import UUID

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.api.inference.serializers import (
    DeadLetterSerializer,
    ImageDetailSerializer,
    ImageQuerySerializer,
    ImageSerializer,
    OutstandingQuerySerializer,
    OutstandingSerializer,
    RequeuedSerializer,
    RequeueSerializer,
    SetAsideSerializer,
    only_cell,
)
from webapp.api.pagination import LastFirst, NewestFirst, UploadOrder
from webapp.api.permissions import Needs, membership_of
from webapp.cases.disclosure import open_case, open_cell, open_image
from webapp.cases.models import Case, Cell, Image
from webapp.cases.selectors import outstanding
from webapp.cases.setting_aside import set_aside
from webapp.hematology.classes import BY_CODE
from webapp.inference import services
from webapp.inference.evidence import evidence_maps, overlay_png
from webapp.inference.models import Chunk
from webapp.inference.selectors import dead_letters
from webapp.labs.permissions import Permission
from webapp.review import selectors
from webapp.storage import objects


class ImageList(generics.GenericAPIView[Image]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = ImageSerializer
    pagination_class = UploadOrder

    @extend_schema(
        operation_id="images_list",
        parameters=[ImageQuerySerializer],
        responses=ImageSerializer(many=True),
    )
    def get(self, request: Request, case_id: UUID) -> Response:
        """A case's images in the order of upload."""
        asked = ImageQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        case = open_case(case_id)
        reading = selectors.shown_reading(case, membership_of(request).user)
        found = selectors.images_with_cells(case, reading)
        if status_wanted := asked.validated_data.get("status"):
            found = found.filter(status=status_wanted)
        if cell_class := asked.validated_data.get("cell_class"):
            found = selectors.images_of_class(found, reading, cell_class)
        page = self.paginate_queryset(found)
        return self.get_paginated_response(ImageSerializer(page, many=True).data)


class ImageDetail(generics.GenericAPIView[Image]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = ImageDetailSerializer

    def get(self, request: Request, image_id: int) -> Response:
        """One image with the model's whole answer."""
        image = open_image(image_id)
        reading = selectors.shown_reading(image.case, membership_of(request).user)
        prefetch_related_objects([image], selectors.with_predictions(reading))
        return Response(ImageDetailSerializer(image, context={"request": request}).data)


class SetAside(generics.GenericAPIView[Image]):
    needs: Needs = {"POST": Permission.UPLOAD_IMAGES}
    serializer_class = SetAsideSerializer

    @extend_schema(operation_id="image_set_aside", responses={204: None})
    def post(self, request: Request, image_id: int) -> Response:
        """Say that a refused file was looked at, and why nothing is given in its place."""
        image = open_image(image_id)
        asked = SetAsideSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        set_aside(image, by=membership_of(request).user, **asked.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Picture(APIView):
    needs: Needs = {"GET": Permission.VIEW_CASES}

    @extend_schema(responses={302: None})
    def get(self, request: Request, image_id: int) -> HttpResponse:
        """The image as browsers show it: a redirect to the store, good for minutes."""
        image = open_image(image_id)
        if image.display_key:
            url = objects.download_url(image.display_key, "image/png")
        else:
            # What it is was found out by decoding it: names are anybody's, and could make it a page.
            url = objects.download_url(
                image.key, image.media_type or "image/jpeg", version=image.object_version
            )
        return redirect(url)


OF_CLASS = OpenApiParameter("cell_class", str, enum=list(BY_CODE))


class Evidence(APIView):
    needs: Needs = {"GET": Permission.VIEW_CASES}

    @extend_schema(parameters=[OF_CLASS], responses={(200, "image/png"): OpenApiTypes.BINARY})
    def get(self, request: Request, image_id: int) -> HttpResponse:
        """Where the model saw evidence for a class in a picture of one cell: a transparent overlay.

        The class is the suggested one unless another is named.
        """
        return _evidence(request, only_cell(open_image(image_id)))


class CellEvidence(APIView):
    needs: Needs = {"GET": Permission.VIEW_CASES}

    @extend_schema(parameters=[OF_CLASS], responses={(200, "image/png"): OpenApiTypes.BINARY})
    def get(self, request: Request, cell_id: int) -> HttpResponse:
        """Where in a cell's box the model saw evidence for a class, as for images."""
        return _evidence(request, open_cell(cell_id))


def _evidence(request: Request, cell: Cell | None) -> HttpResponse:
    prediction = selectors.prediction_of(cell, None) if cell else None
    if prediction is None:
        raise exceptions.NotFound(_("The model has not looked at this."))
    labels: list[str] = prediction.model_version.labels
    wanted = request.query_params.get("cell_class", prediction.cell_class)
    if wanted not in labels:
        raise exceptions.ValidationError(
            {"cell_class": [_("The model knows %(classes)s.") % {"classes": ", ".join(labels)}]}
        )
    maps = evidence_maps(bytes(prediction.evidence), prediction.evidence_grid, len(labels))
    response = HttpResponse(overlay_png(maps, labels.index(wanted)), content_type="image/png")
    response["Cache-Control"] = f"private, max-age={settings.DOWNLOAD_KEPT_SECONDS}"
    return response


class Requeue(generics.GenericAPIView[Case]):
    needs: Needs = {"POST": Permission.REQUEUE_FAILED}
    serializer_class = RequeuedSerializer

    @extend_schema(request=RequeueSerializer)
    def post(self, request: Request, case_id: UUID) -> Response:
        """Requeue the case's dead letters: its failed images are tried again, all or those named."""
        asked = RequeueSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        images = services.requeue(open_case(case_id), asked.validated_data.get("images"))
        return Response({"images": images})


class OutstandingFiles(generics.GenericAPIView[Image]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = OutstandingSerializer
    pagination_class = LastFirst

    @extend_schema(
        operation_id="outstanding_files_list",
        parameters=[OutstandingQuerySerializer],
        responses=OutstandingSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """The files of all of the lab's cases that were refused or failed, and that nothing was given for.

        Upload another with `replaces`, and the file is accounted for; requeue those that failed.
        """
        asked = OutstandingQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        page = self.paginate_queryset(outstanding(**asked.validated_data))
        return self.get_paginated_response(OutstandingSerializer(page or [], many=True).data)


class DeadLetters(generics.GenericAPIView[Chunk]):
    needs: Needs = {"GET": Permission.REQUEUE_FAILED}
    serializer_class = DeadLetterSerializer
    pagination_class = NewestFirst

    @extend_schema(operation_id="dead_letters_list", responses=DeadLetterSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The dead letters of all of the lab's cases; requeue them by their case."""
        page = self.paginate_queryset(dead_letters())
        return self.get_paginated_response(DeadLetterSerializer(page or [], many=True).data)
