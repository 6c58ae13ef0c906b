"""A lab's rules: they are off until somebody who may accepts them, and a change is off again."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.permissions import Needs, membership_of
from webapp.api.rules.serializers import (
    ConditionsSerializer,
    DraftSerializer,
    RuleSerializer,
    ShippedSerializer,
    TriedSerializer,
)
from webapp.labs.permissions import Permission
from webapp.results.rules import try_out
from webapp.rules import selectors, services
from webapp.rules.models import Rule


class Rules(generics.GenericAPIView[Rule]):
    needs: Needs = {"GET": Permission.APPROVE, "POST": Permission.APPROVE}
    serializer_class = RuleSerializer
    pagination_class = None

    @extend_schema(operation_id="rules_list", responses=RuleSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The lab's rules, on and off."""
        return Response(RuleSerializer(selectors.current(), many=True).data)

    @extend_schema(request=DraftSerializer, responses={201: RuleSerializer})
    def post(self, request: Request) -> Response:
        """Make a rule, which is off."""
        asked = _draft(request)
        member = membership_of(request)
        rule = services.add(member.lab, asked.draft, by=member.user)
        return Response(RuleSerializer(rule).data, status=status.HTTP_201_CREATED)


class Shipped(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.APPROVE}
    serializer_class = ShippedSerializer

    @extend_schema(request=None, responses=ShippedSerializer, operation_id="rules_take_shipped")
    def post(self, request: Request) -> Response:
        """Take over the rules that come with the product and the lab does not have, all of them off."""
        member = membership_of(request)
        return Response({"added": services.add_shipped(member.lab, by=member.user)})


class Try(generics.GenericAPIView[Any]):
    needs: Needs = {"POST": Permission.APPROVE}
    serializer_class = ConditionsSerializer

    @extend_schema(operation_id="rules_try", responses=TriedSerializer)
    def post(self, request: Request) -> Response:
        """How many of the lab's last cases, up to 200, conditions hold of. Nothing is kept."""
        asked = ConditionsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(TriedSerializer(try_out(asked.validated_data["when"])).data)


class RuleDetail(generics.GenericAPIView[Rule]):
    needs: Needs = {
        "GET": Permission.APPROVE,
        "PUT": Permission.APPROVE,
        "DELETE": Permission.APPROVE,
    }
    serializer_class = RuleSerializer

    @extend_schema(operation_id="rule")
    def get(self, request: Request, rule_id: UUID) -> Response:
        """A rule as it is now."""
        return Response(RuleSerializer(_rule(rule_id)).data)

    @extend_schema(request=DraftSerializer, responses=RuleSerializer)
    def put(self, request: Request, rule_id: UUID) -> Response:
        """Change it: its next version, under an id of its own, which is off."""
        rule = _rule(rule_id)
        asked = _draft(request)
        changed = services.change(rule, asked.draft, by=membership_of(request).user)
        return Response(RuleSerializer(changed).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, rule_id: UUID) -> Response:
        """Remove it. Results that name it stay as they are."""
        services.remove(_rule(rule_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class Acceptance(generics.GenericAPIView[Rule]):
    needs: Needs = {"POST": Permission.APPROVE, "DELETE": Permission.APPROVE}
    serializer_class = RuleSerializer

    @extend_schema(request=None, operation_id="rule_accept", responses=RuleSerializer)
    def post(self, request: Request, rule_id: UUID) -> Response:
        """Accept this version: it counts from now on."""
        rule = services.accept(_rule(rule_id), by=membership_of(request).user)
        return Response(RuleSerializer(rule).data)

    @extend_schema(operation_id="rule_turn_off", responses=RuleSerializer)
    def delete(self, request: Request, rule_id: UUID) -> Response:
        """Turn it off."""
        return Response(RuleSerializer(services.turn_off(_rule(rule_id))).data)


def _rule(rule_id: UUID) -> Rule:
    return get_object_or_404(selectors.current(), id=rule_id)


def _draft(request: Request) -> DraftSerializer:
    asked = DraftSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return asked
