"""Signed results: what would be signed, signing, and what is done about a result afterwards.

What people sign, amend or make void they do themselves: a token never does.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.methods import Method
from webapp.accounts.proof import NotProved, TooManyProofs, prove
from webapp.api.authentication import lab_request
from webapp.api.permissions import Needs, membership_of
from webapp.api.results.serializers import (
    PreparedQuerySerializer,
    PreparedSerializer,
    ResultSerializer,
    ShownResultSerializer,
    SignatureSerializer,
    SignSerializer,
    VersionSerializer,
    WithReasonSerializer,
)
from webapp.cases.disclosure import open_case, text_shown
from webapp.cases.models import Case
from webapp.labs.authorization import may
from webapp.labs.permissions import Permission
from webapp.results import amending
from webapp.results.amending import MayNotAmend
from webapp.results.disclosure import result_shown
from webapp.results.models import Result
from webapp.results.selectors import results_of
from webapp.results.signing import MayNotSign, Shown, prepare, sign


class NotByToken(exceptions.PermissionDenied):
    default_code = "not_by_token"
    default_detail = _(
        "A token never signs, amends or makes void: it does not show who is there. Sign in, and do it on the"
        " page."
    )


class ProofWrong(exceptions.PermissionDenied):
    default_code = NotProved.code


class Results(generics.GenericAPIView[Result]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = ResultSerializer
    pagination_class = None

    @extend_schema(operation_id="results_list", responses=ResultSerializer(many=True))
    def get(self, request: Request, case_id: UUID) -> Response:
        """All versions of a case's result, the last first."""
        return Response(ResultSerializer(results_of(open_case(case_id)), many=True).data)


class LastResult(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = ShownResultSerializer

    @extend_schema(operation_id="result_last")
    def get(self, request: Request, case_id: UUID) -> Response:
        """The last version of a case's result, with what was signed."""
        return _shown(request, case_id, None)


class OneResult(generics.GenericAPIView[Any]):
    needs: Needs = {"GET": Permission.VIEW_CASES}
    serializer_class = ShownResultSerializer

    @extend_schema(operation_id="result_version")
    def get(self, request: Request, case_id: UUID, version: int) -> Response:
        """A version of a case's result, with what was signed."""
        return _shown(request, case_id, version)


class ToSign(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.SIGN}
    serializer_class = PreparedSerializer

    @extend_schema(
        operation_id="result_prepare", request=PreparedQuerySerializer, responses={200: PreparedSerializer}
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """What would be signed of the case now, and what is missing before it can be.

        Roles and tokens that may not see who the patient is get the document without that.
        """
        case = open_case(case_id)
        asked = PreparedQuerySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        prepared = prepare(case, asked.validated_data["reason"], viewer=membership_of(request).user)
        sees = membership_of(request).may(Permission.VIEW_IDENTIFIERS)
        if prepared.draft and sees:
            text_shown({case.id: case.accession})
        return Response(PreparedSerializer(prepared, context={"sees": sees}).data)


class Sign(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.SIGN}
    serializer_class = SignSerializer

    @extend_schema(operation_id="result_sign", responses={201: SignatureSerializer})
    def post(self, request: Request, case_id: UUID) -> Response:
        """Sign what was shown, by a session alone: who is there is asked at every signature.

        The document is that of `sign/prepare/`, named by its SHA-256. Where the case has changed since, the
        answer is 409 and nothing is signed.
        """
        case = open_case(case_id)
        _check_is_a_person(request)
        _check_sees_patients(request)
        asked = SignSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        method = Method(given["method"])
        membership = membership_of(request)

        def is_them() -> Method:
            deed = f"sign {case.id} {given['sha256']}"
            prove(lab_request(request), membership.user, method, given["proof"], deed=deed)
            return method

        shown = Shown(given["revision"], given["sha256"], given["meaning"], given["reason"])
        try:
            signature = sign(case, membership, shown, prove=is_them)
        except TooManyProofs as error:
            raise exceptions.Throttled(detail=str(error), code=error.code) from error
        except NotProved as error:
            raise ProofWrong(str(error)) from error
        except MayNotSign as error:
            raise exceptions.PermissionDenied(str(error)) from error
        return Response(SignatureSerializer(signature).data, status=status.HTTP_201_CREATED)


class Amend(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.AMEND}
    serializer_class = WithReasonSerializer

    @extend_schema(operation_id="result_amend", responses={200: ResultSerializer})
    def post(self, request: Request, case_id: UUID) -> Response:
        """Open a signed case again, with a reason. Its result stands until the next version is signed."""
        return _done(request, case_id, amending.amend, WithReasonSerializer)


class Withdraw(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.AMEND}
    serializer_class = VersionSerializer

    @extend_schema(operation_id="result_withdraw", responses={200: ResultSerializer})
    def post(self, request: Request, case_id: UUID) -> Response:
        """Leave a result that is being amended as it was signed; nothing was decided otherwise since."""
        return _done(request, case_id, amending.withdraw, VersionSerializer)


class Void(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.AMEND}
    serializer_class = WithReasonSerializer

    @extend_schema(operation_id="result_void", responses={200: ResultSerializer})
    def post(self, request: Request, case_id: UUID) -> Response:
        """Say that a result is nobody's, with a reason: it was made of the wrong patient."""
        return _done(request, case_id, amending.void, WithReasonSerializer)


def _done(
    request: Request,
    case_id: UUID,
    deed: Callable[..., object],
    serializer: type[VersionSerializer],
) -> Response:
    case = open_case(case_id)
    _check_is_a_person(request)
    asked = serializer(data=request.data)
    asked.is_valid(raise_exception=True)
    try:
        deed(case, membership_of(request), **asked.validated_data)
    except MayNotAmend as error:
        raise exceptions.PermissionDenied(str(error)) from error
    return Response(ResultSerializer(results_of(case).first()).data)


def _shown(request: Request, case_id: UUID, version: int | None) -> Response:
    case: Case = open_case(case_id)
    member = membership_of(request)
    sees = member.may(Permission.VIEW_IDENTIFIERS)
    shown = result_shown(case, version, viewer=member.user, identifiers=sees)
    return Response(ShownResultSerializer(shown).data)


def _check_is_a_person(request: Request) -> None:
    if lab_request(request).by_token:
        raise NotByToken


def _check_sees_patients(request: Request) -> None:
    """What is signed says who the patient is."""
    if not may(membership_of(request), Permission.VIEW_IDENTIFIERS):
        raise exceptions.PermissionDenied
