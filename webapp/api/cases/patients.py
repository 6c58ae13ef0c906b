"""Who a case's patient is."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.cases.births import before_birth
from webapp.api.cases.serializers import OtherCaseSerializer, PatientSerializer
from webapp.api.permissions import Needs, membership_of
from webapp.cases import selectors, services
from webapp.cases.disclosure import identifiers_shown, open_case
from webapp.cases.identifiers import Identifiers
from webapp.cases.models import Case
from webapp.labs.permissions import Permission


class CasePatient(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_IDENTIFIERS, "PATCH": Permission.EDIT_IDENTIFIERS}
    serializer_class = PatientSerializer

    def get(self, request: Request, case_id: UUID) -> Response:
        """Who the patient is, as far as it was entered."""
        return _answer(request, open_case(case_id))

    def patch(self, request: Request, case_id: UUID) -> Response:
        """Enter or correct who the patient is; what is not named stays as it is.

        It changes for all cases of the patient; `notes` are the case's own. An MRN that the lab knows as
        another patient's makes the case theirs: what is known of them stays, and `kept` names what was given
        otherwise. Without `view_identifiers` the answer holds what was sent and nothing else.
        """
        case = open_case(case_id)
        asked = PatientSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        with before_birth("birth_date", case):
            kept = services.change_identifiers(case, asked.validated_data)
        return _answer(request, case, kept=kept, sent=asked.validated_data)


class Merge(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.EDIT_IDENTIFIERS}
    serializer_class = OtherCaseSerializer

    @extend_schema(responses=PatientSerializer)
    def post(self, request: Request, case_id: UUID) -> Response:
        """Say that the patient of another case is the same person: all cases of theirs come to this one's.

        What is known of this case's patient stays; `kept` names in what the two differ.
        """
        case = open_case(case_id)
        asked = OtherCaseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        other = selectors.cases().filter(**asked.validated_data).first()
        if other is None:
            raise exceptions.ValidationError({"accession": [_("No case of this lab has this number.")]})
        with before_birth("accession", case):
            kept = services.merge(case, open_case(other.id))
        return _answer(request, case, kept=kept)


class Split(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.EDIT_IDENTIFIERS}
    serializer_class = PatientSerializer

    @extend_schema(request=None)
    def post(self, request: Request, case_id: UUID) -> Response:
        """Say that a case is of somebody else than the other cases of its patient.

        It goes back to whose it was before they were merged, or to a patient of whom nothing is known yet.
        """
        case = open_case(case_id)
        services.split(case)
        return _answer(request, case)


def _answer(
    request: Request, case: Case, *, kept: Iterable[str] = (), sent: dict[str, Any] | None = None
) -> Response:
    if membership_of(request).may(Permission.VIEW_IDENTIFIERS):
        return Response(PatientSerializer(replace(identifiers_shown([case])[case.id], kept=tuple(kept))).data)
    sent = sent or {}
    as_sent = {"patient_fields": sent, "as_sent": True}
    return Response(PatientSerializer(Identifiers(**sent), context=as_sent).data)
