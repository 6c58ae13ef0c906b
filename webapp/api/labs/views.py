"""API tokens: a password for one, one's own, and those of the whole lab."""

from collections.abc import Sequence
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.sign_in import authenticate
from webapp.api.authentication import ApiTokenAuthentication
from webapp.api.labs.serializers import NewTokenSerializer, SignInSerializer, TokenSerializer
from webapp.api.pagination import NewestFirst
from webapp.api.permissions import Needs, membership_of
from webapp.audit.context import Actor, acting
from webapp.labs import selectors, tokens
from webapp.labs.models import ApiToken, Membership
from webapp.labs.permissions import Permission


class Tokens(generics.GenericAPIView[ApiToken]):
    """Signing in with a password to get a token is open to all, at the rates of the sign-in page."""

    needs: Needs = {"GET": Permission.USE_TOKENS}
    serializer_class = TokenSerializer
    pagination_class = NewestFirst

    @property
    def _signs_in(self) -> bool:
        return self.request is not None and self.request.method == "POST"

    def get_permissions(self) -> Sequence[Any]:
        return [AllowAny()] if self._signs_in else super().get_permissions()

    def get_authenticators(self) -> list[BaseAuthentication]:
        # Not the session, which would ask for a CSRF token.
        return [ApiTokenAuthentication()] if self._signs_in else super().get_authenticators()

    @extend_schema(operation_id="tokens_list", responses=TokenSerializer(many=True))
    def get(self, request: Request) -> Response:
        """One's own API tokens in this lab, newest first."""
        page = self.paginate_queryset(selectors.tokens_of(membership_of(request)))
        return self.get_paginated_response(TokenSerializer(page or [], many=True).data)

    @extend_schema(request=SignInSerializer, responses={201: NewTokenSerializer}, auth=[])
    def post(self, request: Request) -> Response:
        """Exchange a password, and the code of a second factor, for an API token in one lab.

        The secret is shown this once.
        """
        asked = SignInSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        membership = _signed_in(request, given)
        scopes = map(Permission, given["scopes"]) if "scopes" in given else None
        with acting(Actor(membership.user_id, str(membership.user))):
            token, secret = tokens.issue_token(
                membership,
                given["name"],
                scopes=scopes,
                days=given.get("days"),
                networks=given["networks"],
            )
        body = {"secret": secret, "token": token}
        return Response(NewTokenSerializer(body).data, status=status.HTTP_201_CREATED)


class Token(generics.GenericAPIView[ApiToken]):
    needs: Needs = {"DELETE": Permission.USE_TOKENS}
    serializer_class = TokenSerializer

    @extend_schema(responses={204: None})
    def delete(self, request: Request, token_id: int) -> Response:
        """Revoke one of one's own API tokens, the one that asks included."""
        tokens.revoke(get_object_or_404(selectors.tokens_of(membership_of(request)), id=token_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class LabTokens(generics.GenericAPIView[ApiToken]):
    needs: Needs = {"GET": Permission.MANAGE_TOKENS}
    serializer_class = TokenSerializer
    pagination_class = NewestFirst

    @extend_schema(operation_id="lab_tokens_list", responses=TokenSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The API tokens of all members of the lab, newest first."""
        page = self.paginate_queryset(selectors.lab_tokens())
        return self.get_paginated_response(TokenSerializer(page or [], many=True).data)


class LabToken(generics.GenericAPIView[ApiToken]):
    needs: Needs = {"DELETE": Permission.MANAGE_TOKENS}
    serializer_class = TokenSerializer

    @extend_schema(responses={204: None})
    def delete(self, request: Request, token_id: int) -> Response:
        """Revoke an API token of any member of the lab."""
        tokens.revoke(get_object_or_404(selectors.lab_tokens(), id=token_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _signed_in(request: Request, given: dict[str, Any]) -> Membership:
    """The membership that e-mail and password, and the lab where one is named, stand for.

    Raises:
        SignInFailed, AuthenticationFailed, PermissionDenied, ValidationError: there is no such, or it must
            be named.
    """
    user = authenticate(request._request, given["email"], given["password"], given["code"])
    memberships = selectors.memberships_of(user)
    if not memberships:
        raise exceptions.AuthenticationFailed(_("You belong to no lab. Ask an administrator of your lab."))
    wanted = [membership for membership in memberships if given.get("lab") in (None, membership.lab_id)]
    if len(wanted) != 1:
        labs = {str(membership.lab_id): membership.lab.name for membership in memberships}
        raise exceptions.ValidationError({"lab": [_("Name one of your labs: %(labs)s") % {"labs": labs}]})
    if not wanted[0].may(Permission.USE_TOKENS):
        raise exceptions.PermissionDenied(_("Your role in this lab does not include the use of API tokens."))
    return wanted[0]
