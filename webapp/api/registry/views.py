"""The models that classify a lab's images."""

from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.pagination import NewestPublishedFirst
from webapp.api.permissions import Needs, membership_of
from webapp.api.registry.serializers import ModelVersionSerializer
from webapp.labs.permissions import Permission
from webapp.registry import selectors
from webapp.registry.models import ModelVersion


class ModelVersions(generics.GenericAPIView[ModelVersion]):
    needs: Needs = {"GET": Permission.VIEW_MODELS}
    serializer_class = ModelVersionSerializer
    pagination_class = NewestPublishedFirst

    @extend_schema(operation_id="models_list", responses=ModelVersionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Versions of the base model and of the lab's own, with what they are worth."""
        lab = membership_of(request).lab
        page = self.paginate_queryset(selectors.versions_seen_by(lab)) or []
        context = {"answering": selectors.answering(lab.id)}
        return self.get_paginated_response(ModelVersionSerializer(page, many=True, context=context).data)
