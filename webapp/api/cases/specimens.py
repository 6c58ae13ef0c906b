"""A case's specimen and slides, and the lab's scanners."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.cases.births import before_birth
from webapp.api.cases.serializers import (
    AnalyserCountSerializer,
    ScannerSerializer,
    SlideSerializer,
    SpecimenSerializer,
)
from webapp.api.fields import LARGEST_ID
from webapp.api.permissions import Needs, membership_of
from webapp.cases import selectors, specimen_services
from webapp.cases.disclosure import open_case, specimen_shown
from webapp.cases.models import Case, Image
from webapp.cases.specimens import COUNTS, TEXTS, Scanner, Slide
from webapp.labs.permissions import Permission


class CaseSpecimen(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_CASES, "PATCH": Permission.CREATE_CASES}
    serializer_class = SpecimenSerializer

    def get(self, request: Request, case_id: UUID) -> Response:
        """What is known of the specimen and of the request for it."""
        return self._answer(request, open_case(case_id))

    def patch(self, request: Request, case_id: UUID) -> Response:
        """Enter or correct what is known of the specimen; what is not named stays as it is."""
        case = open_case(case_id)
        known = vars(selectors.specimen_of(case, texts=False))
        asked = SpecimenSerializer(data=request.data, context={"known": known})
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        if given.keys() & TEXTS and not membership_of(request).may(Permission.EDIT_IDENTIFIERS):
            raise exceptions.PermissionDenied(_("Your role in this lab may not enter who the patient is."))
        with before_birth("collected_at" if "collected_at" in given else "received_at", case):
            specimen_services.change_specimen(case, given)
        return self._answer(request, case)

    @staticmethod
    def _answer(request: Request, case: Case) -> Response:
        texts = membership_of(request).may(Permission.VIEW_IDENTIFIERS)
        return Response(SpecimenSerializer(specimen_shown(case, texts=texts), context={"texts": texts}).data)


class CaseAnalyserCount(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_CASES, "PATCH": Permission.CREATE_CASES}
    serializer_class = AnalyserCountSerializer

    def get(self, request: Request, case_id: UUID) -> Response:
        """What an analyser counted in the specimen, and who entered it when."""
        return self._answer(open_case(case_id))

    def patch(self, request: Request, case_id: UUID) -> Response:
        """Enter or correct what an analyser counted; what is not named stays as it is, null takes it back."""
        case = open_case(case_id)
        asked = AnalyserCountSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            specimen_services.enter_analyser_count(case, asked.validated_data, by=membership_of(request).user)
        except specimen_services.NothingToSayOf as error:
            raise exceptions.ValidationError({"wbc": [str(error)]}) from error
        return self._answer(case)

    @staticmethod
    def _answer(case: Case) -> Response:
        nothing = dict.fromkeys((*COUNTS, "entered_by", "entered_at"))
        known = selectors.analyser_count_of(case) or nothing
        return Response(AnalyserCountSerializer(known).data)


class ImagesSlideSerializer(serializers.Serializer[Any]):
    images = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID), allow_empty=False, max_length=1000
    )
    slide = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, allow_null=True, help_text="Null: nobody knows."
    )


class ChangedSerializer(serializers.Serializer[Any]):
    changed = serializers.IntegerField(help_text="Of how many images it was said otherwise before.")


class Slides(generics.GenericAPIView[Slide]):
    needs: Needs = {"GET": Permission.VIEW_CASES, "POST": Permission.CREATE_CASES}
    serializer_class = SlideSerializer
    pagination_class = None

    @extend_schema(operation_id="cases_slides_list", responses=SlideSerializer(many=True))
    def get(self, request: Request, case_id: UUID) -> Response:
        """The case's slides."""
        return Response(SlideSerializer(selectors.slides(open_case(case_id)), many=True).data)

    @extend_schema(responses={201: SlideSerializer})
    def post(self, request: Request, case_id: UUID) -> Response:
        """Name a slide of the case."""
        case = open_case(case_id)
        asked = SlideSerializer(data=request.data, context={"scanners": selectors.scanners()})
        asked.is_valid(raise_exception=True)
        slide = specimen_services.add_slide(case, **asked.validated_data)
        return Response(SlideSerializer(slide).data, status=status.HTTP_201_CREATED)


class OneSlide(generics.GenericAPIView[Slide]):
    needs: Needs = {"DELETE": Permission.CREATE_CASES}
    serializer_class = SlideSerializer

    @extend_schema(responses={204: None})
    def delete(self, request: Request, case_id: UUID, slide_id: int) -> Response:
        """Take back a slide that no image is of."""
        slides = selectors.slides(open_case(case_id))
        specimen_services.remove_slide(get_object_or_404(slides, id=slide_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ImagesSlide(generics.GenericAPIView[Image]):
    needs: Needs = {"PUT": Permission.CREATE_CASES}
    serializer_class = ImagesSlideSerializer

    @extend_schema(operation_id="cases_images_slide", responses=ChangedSerializer)
    def put(self, request: Request, case_id: UUID) -> Response:
        """Say of which slide images of the case are; the others stay."""
        case = open_case(case_id)
        asked = ImagesSlideSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        slide = None
        if given["slide"] is not None:
            slide = get_object_or_404(selectors.slides(case), id=given["slide"])
        changed = specimen_services.set_slide(case, given["images"], slide)
        return Response(ChangedSerializer({"changed": changed}).data)


class Scanners(generics.GenericAPIView[Scanner]):
    needs: Needs = {"GET": Permission.VIEW_CASES, "POST": Permission.MANAGE_LAB}
    serializer_class = ScannerSerializer
    pagination_class = None

    @extend_schema(operation_id="lab_scanners_list", responses=ScannerSerializer(many=True))
    def get(self, request: Request) -> Response:
        """What the lab takes pictures with."""
        return Response(ScannerSerializer(selectors.scanners(), many=True).data)

    @extend_schema(responses={201: ScannerSerializer})
    def post(self, request: Request) -> Response:
        """Enter a scanner of the lab."""
        asked = ScannerSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        scanner = specimen_services.add_scanner(membership_of(request).lab, **asked.validated_data)
        return Response(ScannerSerializer(scanner).data, status=status.HTTP_201_CREATED)


class OneScanner(generics.GenericAPIView[Scanner]):
    needs: Needs = {"DELETE": Permission.MANAGE_LAB}
    serializer_class = ScannerSerializer

    @extend_schema(responses={204: None})
    def delete(self, request: Request, scanner_id: int) -> Response:
        """Take back a scanner that no slide was scanned with."""
        specimen_services.remove_scanner(get_object_or_404(selectors.scanners(), id=scanner_id))
        return Response(status=status.HTTP_204_NO_CONTENT)
