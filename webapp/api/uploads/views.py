"""Uploads: by forms for the object store, or in one request."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework import generics, parsers, status
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.inference.serializers import ImageSerializer
from webapp.api.inference.views import ImageList
from webapp.api.permissions import Needs, membership_of
from webapp.api.uploads.serializers import (
    AcceptedSerializer,
    BeginSerializer,
    CompleteSerializer,
    FilesSerializer,
    ReceivedSerializer,
    RenewSerializer,
    UploadsSerializer,
)
from webapp.cases.disclosure import open_case
from webapp.cases.models import Image
from webapp.cases.selectors import slides
from webapp.labs.permissions import Permission
from webapp.review.selectors import images_with_cells, shown_reading
from webapp.uploads import services
from webapp.uploads.handlers import for_images


class UploadBegin(generics.GenericAPIView[Image]):
    needs: Needs = {"POST": Permission.UPLOAD_IMAGES}
    serializer_class = BeginSerializer

    @extend_schema(responses={201: UploadsSerializer})
    def post(self, request: Request, case_id: UUID) -> Response:
        """Ask for upload forms: post each file with its `fields` to its `url`, then call `complete`.

        The answer has an entry for each file, in their order. One whose `sha256` the case has gets no second
        row: `already` says what became of it. One that names the image which it `replaces` accounts for that.
        """
        case = open_case(case_id)
        asked = BeginSerializer(data=request.data, context={"slides": slides(case)})
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        files = [services.File(**file) for file in given["files"]]
        uploads = services.begin(
            case,
            files,
            by=membership_of(request).user,
            again=given["again"],
            slide=given.get("slide"),
        )
        return Response(UploadsSerializer({"uploads": uploads}).data, status=status.HTTP_201_CREATED)


class UploadRenew(generics.GenericAPIView[Image]):
    needs: Needs = {"POST": Permission.UPLOAD_IMAGES}
    serializer_class = RenewSerializer

    @extend_schema(responses=UploadsSerializer)
    def post(self, request: Request, case_id: UUID) -> Response:
        """Ask for fresh forms when the first have expired; `url` is null where bytes are no longer wanted."""
        asked = RenewSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        uploads = services.renew(open_case(case_id), asked.validated_data["ids"])
        return Response(UploadsSerializer({"uploads": uploads}).data)


class UploadComplete(generics.GenericAPIView[Image]):
    needs: Needs = {"POST": Permission.UPLOAD_IMAGES}
    serializer_class = CompleteSerializer

    @extend_schema(responses={202: AcceptedSerializer})
    def post(self, request: Request, case_id: UUID) -> Response:
        """Hand uploaded files over to be classified. May be repeated: each is accepted once."""
        asked = CompleteSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        accepted = services.complete(
            open_case(case_id), asked.validated_data["ids"], bulk=asked.validated_data["bulk"]
        )
        return Response({"accepted": accepted}, status=status.HTTP_202_ACCEPTED)


# One address for both: the list of a case's images, and the form that files are sent to.
class CaseImages(ImageList):
    needs: Needs = {**ImageList.needs, "POST": Permission.UPLOAD_IMAGES}
    parser_classes = (parsers.MultiPartParser,)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        if request.method == "POST":
            request.upload_handlers = for_images(request)
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        request={"multipart/form-data": FilesSerializer},
        responses={202: ReceivedSerializer(many=True)},
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Upload up to 100 files in one request: the simple road for small clients.

        The answer has an entry for each file, in their order.
        """
        case = open_case(case_id)
        sent = {
            "files": request.FILES.getlist("files"),
            "slide": request.POST.get("slide") or None,
            "replaces": request.POST.get("replaces") or None,
        }
        asked = FilesSerializer(data=sent, context={"slides": slides(case)})
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        uploads = services.receive(
            case,
            [(file.name, file.size, file) for file in given["files"]],
            by=membership_of(request).user,
            slide=given.get("slide"),
            replaces=given.get("replaces"),
        )
        found = images_with_cells(case, shown_reading(case, membership_of(request).user))
        rows = found.in_bulk({upload.image.id for upload in uploads})
        answer = [
            {**ImageSerializer(rows[upload.image.id]).data, "already": upload.already} for upload in uploads
        ]
        return Response(answer, status=status.HTTP_202_ACCEPTED)
