"""The HTTP API. Each view names the permission it needs, by method, in `needs`."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, generics, parsers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.api import serializers
from webapp.api.pagination import NewestFirst, NewestPublishedFirst, UploadOrder
from webapp.api.permissions import Needs, membership_of
from webapp.cases import selectors as case_selectors
from webapp.cases import services as case_services
from webapp.cases.access import case_or_404, identifiers_shown, image_or_404
from webapp.cases.identifiers import FIELDS, IN_LISTS, Identifiers
from webapp.cases.models import Case, Image
from webapp.hematology.classes import BY_CODE
from webapp.inference import selectors as inference_selectors
from webapp.inference import services as inference_services
from webapp.inference.evidence import evidence_maps, overlay_png
from webapp.inference.models import Chunk
from webapp.labs.permissions import Permission
from webapp.registry import selectors as registry_selectors
from webapp.registry.models import ModelVersion
from webapp.storage import objects
from webapp.uploads import services as upload_services
from webapp.uploads.handlers import for_images as uploaded_images


class CaseList(generics.GenericAPIView[Case]):
    needs: Needs = {"GET": Permission.VIEW_CASES, "POST": Permission.CREATE_CASES}
    serializer_class = serializers.CaseSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> QuerySet[Case]:
        return case_selectors.cases()

    @extend_schema(
        operation_id="cases_list",
        parameters=[serializers.CaseQuerySerializer],
        responses=serializers.CaseSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """The lab's cases, newest first."""
        asked = serializers.CaseQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = self.get_queryset().filter(**asked.validated_data)
        page = self.paginate_queryset(found) or []
        context = _case_context(request, page, IN_LISTS)
        return self.get_paginated_response(serializers.CaseSerializer(page, many=True, context=context).data)

    @extend_schema(request=serializers.NewCaseSerializer, responses={201: serializers.CaseSerializer})
    def post(self, request: Request) -> Response:
        """Open a case for one specimen."""
        asked = serializers.NewCaseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        membership = membership_of(request)
        if "patient" in given and not membership.may(Permission.EDIT_IDENTIFIERS):
            raise exceptions.PermissionDenied("Your role in this lab may not enter who the patient is.")
        case = case_services.create_case(
            membership.lab,
            accession=given["accession"],
            by=membership.user,
            identifiers=given.get("patient"),
        )
        context = _case_context(request, [case], FIELDS)
        return Response(
            serializers.CaseSerializer(case, context=context).data, status=status.HTTP_201_CREATED
        )


class CaseSearch(generics.GenericAPIView[Case]):
    """A search by what must not stand in an address, where logs and proxies would keep it."""

    needs: Needs = {"POST": Permission.VIEW_IDENTIFIERS}
    serializer_class = serializers.PatientQuerySerializer
    pagination_class = None

    @extend_schema(operation_id="cases_search", responses=serializers.FoundCaseSerializer(many=True))
    def post(self, request: Request) -> Response:
        """The cases of the patient with an MRN, newest first, 200 at most."""
        asked = serializers.PatientQuerySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        membership = membership_of(request)
        found = case_services.find_patient(membership.lab, asked.validated_data["mrn"])
        context = _case_context(request, found, IN_LISTS)
        context["may_view_cases"] = membership.may(Permission.VIEW_CASES)
        return Response(serializers.FoundCaseSerializer(found, many=True, context=context).data)


class CaseDetail(generics.GenericAPIView[Case]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = serializers.CaseDetailSerializer

    def get(self, request: Request, case_id: UUID) -> Response:
        """A case: how far it is, and its differential count so far."""
        case = case_or_404(case_id)
        case.differential = inference_selectors.differential_of(  # type: ignore[attr-defined]
            case, membership_of(request).lab.full_count
        )
        case.model_notice = inference_selectors.model_notice(case)  # type: ignore[attr-defined]
        context = _case_context(request, [case], FIELDS)
        if "identifiers" in context:
            case_services.report_unreadable(case, context["identifiers"][case.id])
        return Response(serializers.CaseDetailSerializer(case, context=context).data)


class CasePatient(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_IDENTIFIERS, "PATCH": Permission.EDIT_IDENTIFIERS}
    serializer_class = serializers.PatientSerializer

    def get(self, request: Request, case_id: UUID) -> Response:
        """Who the patient is, as far as it was entered."""
        return Response(self._shown(case_or_404(case_id)))

    def patch(self, request: Request, case_id: UUID) -> Response:
        """Enter or correct who the patient is; what is not named stays as it is.

        Without `view_identifiers` the answer holds what was sent and nothing else.
        """
        case = case_or_404(case_id)
        asked = serializers.PatientSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        changes = asked.validated_data
        case_services.change_identifiers(case, changes)
        if membership_of(request).may(Permission.VIEW_IDENTIFIERS):
            return Response(self._shown(case))
        sent = serializers.PatientSerializer(Identifiers(**changes), context={"patient_fields": changes})
        return Response(sent.data)

    @staticmethod
    def _shown(case: Case) -> dict[str, Any]:
        return serializers.PatientSerializer(identifiers_shown([case])[case.id]).data


class UploadBegin(generics.GenericAPIView[Image]):
    needs: Needs = {"POST": Permission.UPLOAD_IMAGES}
    serializer_class = serializers.BeginSerializer

    @extend_schema(responses={201: serializers.UploadsSerializer})
    def post(self, request: Request, case_id: UUID) -> Response:
        """Ask for upload forms: post each file with its `fields` to its `url`, then call `complete`.

        The answer has an entry for each file, in their order. One whose `sha256` the case has gets no second
        row: `already` says what became of it.
        """
        asked = serializers.BeginSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        files = [upload_services.File(**file) for file in asked.validated_data["files"]]
        again = asked.validated_data["again"]
        uploads = upload_services.begin(case_or_404(case_id), files, again=again)
        return Response(
            serializers.UploadsSerializer({"uploads": uploads}).data, status=status.HTTP_201_CREATED
        )


class UploadRenew(generics.GenericAPIView[Image]):
    needs: Needs = {"POST": Permission.UPLOAD_IMAGES}
    serializer_class = serializers.RenewSerializer

    @extend_schema(responses=serializers.UploadsSerializer)
    def post(self, request: Request, case_id: UUID) -> Response:
        """Ask for fresh forms when the first have expired; `url` is null where bytes are no longer wanted."""
        asked = serializers.RenewSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        uploads = upload_services.renew(case_or_404(case_id), asked.validated_data["ids"])
        return Response(serializers.UploadsSerializer({"uploads": uploads}).data)


class UploadComplete(generics.GenericAPIView[Image]):
    needs: Needs = {"POST": Permission.UPLOAD_IMAGES}
    serializer_class = serializers.CompleteSerializer

    @extend_schema(responses={202: serializers.AcceptedSerializer})
    def post(self, request: Request, case_id: UUID) -> Response:
        """Hand uploaded files over to be classified. May be repeated: each is accepted once."""
        asked = serializers.CompleteSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        accepted = upload_services.complete(
            case_or_404(case_id), asked.validated_data["ids"], bulk=asked.validated_data["bulk"]
        )
        return Response({"accepted": accepted}, status=status.HTTP_202_ACCEPTED)


class CaseImages(generics.GenericAPIView[Image]):
    needs: Needs = {"GET": Permission.VIEW_CASES, "POST": Permission.UPLOAD_IMAGES}
    serializer_class = serializers.ImageSerializer
    pagination_class = UploadOrder
    parser_classes = (parsers.MultiPartParser,)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        if request.method == "POST":
            request.upload_handlers = uploaded_images(request)
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        operation_id="images_list",
        parameters=[serializers.ImageQuerySerializer],
        responses=serializers.ImageSerializer(many=True),
    )
    def get(self, request: Request, case_id: UUID) -> Response:
        """A case's images in the order of upload."""
        asked = serializers.ImageQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = inference_selectors.images_with_predictions(case_or_404(case_id))
        if status_wanted := asked.validated_data.get("status"):
            found = found.filter(status=status_wanted)
        if cell_class := asked.validated_data.get("cell_class"):
            found = found.filter(inference_selectors.of_class(cell_class))
        page = self.paginate_queryset(found)
        return self.get_paginated_response(serializers.ImageSerializer(page, many=True).data)

    @extend_schema(
        request={"multipart/form-data": serializers.FilesSerializer},
        responses={202: serializers.ReceivedSerializer(many=True)},
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Upload up to 100 files in one request: the simple road for small clients.

        The answer has an entry for each file, in their order.
        """
        case = case_or_404(case_id)
        asked = serializers.FilesSerializer(data={"files": request.FILES.getlist("files")})
        asked.is_valid(raise_exception=True)
        uploads = upload_services.receive(
            case, [(file.name, file.size, file) for file in asked.validated_data["files"]]
        )
        found = inference_selectors.images_with_predictions(case)
        rows = found.in_bulk({upload.image.id for upload in uploads})
        answer = [
            {**serializers.ImageSerializer(rows[upload.image.id]).data, "already": upload.already}
            for upload in uploads
        ]
        return Response(answer, status=status.HTTP_202_ACCEPTED)


class Requeue(generics.GenericAPIView[Case]):
    needs: Needs = {"POST": Permission.REQUEUE_FAILED}
    serializer_class = serializers.RequeuedSerializer

    @extend_schema(request=None)
    def post(self, request: Request, case_id: UUID) -> Response:
        """Try the case's failed images again."""
        return Response({"images": inference_services.requeue(case_or_404(case_id))})


class DeadLetters(generics.GenericAPIView[Chunk]):
    needs: Needs = {"GET": Permission.REQUEUE_FAILED}
    serializer_class = serializers.DeadLetterSerializer
    pagination_class = NewestFirst

    @extend_schema(operation_id="dead_letters_list", responses=serializers.DeadLetterSerializer(many=True))
    def get(self, request: Request) -> Response:
        """What was given up, in all of the lab's cases; requeue it by its case."""
        page = self.paginate_queryset(inference_selectors.dead_letters())
        return self.get_paginated_response(serializers.DeadLetterSerializer(page or [], many=True).data)


class ImageDetail(generics.GenericAPIView[Image]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = serializers.ImageDetailSerializer

    def get(self, request: Request, image_id: int) -> Response:
        """One image with the model's whole answer."""
        image = image_or_404(image_id)
        prediction = inference_selectors.prediction_of(image)
        image.current = [prediction] if prediction else []  # type: ignore[attr-defined]
        return Response(serializers.ImageDetailSerializer(image, context={"request": request}).data)


class Picture(APIView):
    needs: Needs = {"GET": Permission.VIEW_CASES}

    @extend_schema(responses={302: None})
    def get(self, request: Request, image_id: int) -> HttpResponse:
        """The image as browsers show it: a redirect to the store, good for minutes."""
        image = image_or_404(image_id)
        if image.display_key:
            url = objects.download_url(image.display_key, "image/png")
        else:
            # What it is was found out by decoding it: names are anybody's, and could make it a page.
            url = objects.download_url(
                image.key, image.media_type or "image/jpeg", version=image.object_version
            )
        return redirect(url)


class Evidence(APIView):
    needs: Needs = {"GET": Permission.VIEW_CASES}

    @extend_schema(
        parameters=[OpenApiParameter("cell_class", str, enum=list(BY_CODE))],
        responses={(200, "image/png"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, image_id: int) -> HttpResponse:
        """Where the model saw evidence for a class: a transparent overlay.

        The class is the suggested one unless another is named.
        """
        prediction = inference_selectors.prediction_of(image_or_404(image_id))
        if prediction is None:
            raise exceptions.NotFound("The model has not looked at this image.")
        labels: list[str] = prediction.model_version.labels
        wanted = request.query_params.get("cell_class", prediction.cell_class)
        if wanted not in labels:
            raise exceptions.ValidationError({"cell_class": [f"The model knows {', '.join(labels)}."]})
        maps = evidence_maps(bytes(prediction.evidence), prediction.evidence_grid, len(labels))
        response = HttpResponse(overlay_png(maps, labels.index(wanted)), content_type="image/png")
        response["Cache-Control"] = f"private, max-age={objects.KEPT_SECONDS}"
        return response


class ModelVersions(generics.GenericAPIView[ModelVersion]):
    needs: Needs = {"GET": Permission.VIEW_MODELS}
    serializer_class = serializers.ModelVersionSerializer
    pagination_class = NewestPublishedFirst

    @extend_schema(operation_id="models_list", responses=serializers.ModelVersionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Versions of the base model and of the lab's own, with what they are worth."""
        lab = membership_of(request).lab
        page = self.paginate_queryset(registry_selectors.versions_seen_by(lab)) or []
        context = {"answering": registry_selectors.answering(lab.id)}
        return self.get_paginated_response(
            serializers.ModelVersionSerializer(page, many=True, context=context).data
        )


def _case_context(request: Request, cases: list[Case], fields: tuple[str, ...]) -> dict[str, Any]:
    context: dict[str, Any] = {"progress": case_selectors.progress_of(cases), "patient_fields": fields}
    if membership_of(request).may(Permission.VIEW_IDENTIFIERS):
        context["identifiers"] = identifiers_shown(cases, fields)
    return context
