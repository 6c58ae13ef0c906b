"""Cases: all, one, and those of a patient."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.cases.serializers import (
    CaseDetailSerializer,
    CaseQuerySerializer,
    CaseSerializer,
    ChangeCaseSerializer,
    FoundCaseSerializer,
    NewCaseSerializer,
    PatientQuerySerializer,
)
from webapp.api.pagination import NewestFirst
from webapp.api.permissions import Needs, membership_of
from webapp.cases import selectors, services
from webapp.cases.disclosure import identifiers_shown, open_case
from webapp.cases.identifiers import FIELDS, IN_LISTS
from webapp.cases.models import Case
from webapp.inference.selectors import asked_again, model_notice, models_of
from webapp.inference.services import set_priority
from webapp.labs.permissions import Permission
from webapp.results.answers import differential_json
from webapp.results.sheets import sheets
from webapp.review.selectors import counts_of, shown_reading


class CaseList(generics.GenericAPIView[Case]):
    needs: Needs = {"GET": Permission.VIEW_CASES, "POST": Permission.CREATE_CASES}
    serializer_class = CaseSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> QuerySet[Case]:
        return selectors.cases()

    @extend_schema(
        operation_id="cases_list",
        parameters=[CaseQuerySerializer],
        responses=CaseSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """The lab's cases, newest first."""
        asked = CaseQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = self.get_queryset().filter(**asked.validated_data)
        page = self.paginate_queryset(found) or []
        context = _case_context(request, page, IN_LISTS)
        return self.get_paginated_response(CaseSerializer(page, many=True, context=context).data)

    @extend_schema(request=NewCaseSerializer, responses={201: CaseSerializer})
    def post(self, request: Request) -> Response:
        """Open a case for one specimen.

        A patient whose MRN the lab knows is entered once: what is known stays, what was not known is written,
        and `kept` names what was given otherwise.
        """
        asked = NewCaseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        membership = membership_of(request)
        if "patient" in given and not membership.may(Permission.EDIT_IDENTIFIERS):
            raise exceptions.PermissionDenied(_("Your role in this lab may not enter who the patient is."))
        case = services.create_case(
            membership.lab,
            accession=given["accession"],
            by=membership.user,
            identifiers=given.get("patient"),
            priority=given["priority"],
        )
        context = _case_context(request, [case], FIELDS)
        if "identifiers" in context:
            shown = context["identifiers"]
            shown[case.id] = replace(shown[case.id], kept=case.differing)
        return Response(CaseSerializer(case, context=context).data, status=status.HTTP_201_CREATED)


class CaseSearch(generics.GenericAPIView[Case]):
    """A search by what must not stand in an address, where logs and proxies would keep it."""

    needs: Needs = {"POST": Permission.VIEW_IDENTIFIERS}
    serializer_class = PatientQuerySerializer
    pagination_class = None

    @extend_schema(operation_id="cases_search", responses=FoundCaseSerializer(many=True))
    def post(self, request: Request) -> Response:
        """The cases of the patient with an MRN, newest first, 200 at most."""
        asked = PatientQuerySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        membership = membership_of(request)
        found = services.find_patient(membership.lab, asked.validated_data["mrn"])
        context = _case_context(request, found, IN_LISTS)
        context["may_view_cases"] = membership.may(Permission.VIEW_CASES)
        return Response(FoundCaseSerializer(found, many=True, context=context).data)


class CaseDetail(generics.GenericAPIView[Case]):
    needs: Needs = {"GET": Permission.VIEW_CASES, "PATCH": Permission.CREATE_CASES}
    serializer_class = CaseDetailSerializer

    def get(self, request: Request, case_id: UUID) -> Response:
        """A case: how far it is, and its differential counts so far."""
        return self._answer(request, open_case(case_id))

    @extend_schema(request=ChangeCaseSerializer)
    def patch(self, request: Request, case_id: UUID) -> Response:
        """Say how soon the result is needed."""
        case = open_case(case_id)
        asked = ChangeCaseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if "priority" in asked.validated_data:
            set_priority(case, asked.validated_data["priority"])
        return self._answer(request, case)

    @staticmethod
    def _answer(request: Request, case: Case) -> Response:
        membership = membership_of(request)
        counts = counts_of(case, shown_reading(case, membership.user))
        both = sheets(case, counts, membership.lab)
        both = both.shown(identifiers=membership.may(Permission.VIEW_IDENTIFIERS))
        case.differential = differential_json(both.suggested)  # type: ignore[attr-defined]
        case.reviewed_differential = differential_json(both.reviewed)  # type: ignore[attr-defined]
        case.models = [  # type: ignore[attr-defined]
            {"model": str(version), "cells": n} for version, n in models_of(case)
        ]
        case.asked_again = asked_again(case)  # type: ignore[attr-defined]
        case.model_notice = model_notice(case)  # type: ignore[attr-defined]
        context = _case_context(request, [case], FIELDS)
        if "identifiers" in context:
            services.report_unreadable(case, context["identifiers"][case.id])
        return Response(CaseDetailSerializer(case, context=context).data)


def _case_context(request: Request, cases: list[Case], fields: tuple[str, ...]) -> dict[str, Any]:
    context: dict[str, Any] = {"progress": selectors.progress_of(cases), "patient_fields": fields}
    if membership_of(request).may(Permission.VIEW_IDENTIFIERS):
        context["identifiers"] = identifiers_shown(cases, fields)
    return context
