"""The API's own description: the OpenAPI document, and pages to read it on."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.decorators import csp_update
from django.urls import path
from django.utils import translation
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

_View = Callable[..., Any]


def _in_english(view: _View) -> _View:
    """It is for programmers: whoever asks gets the same document."""

    @wraps(view)
    def english(*args: Any, **kwargs: Any) -> Any:
        with translation.override("en"):
            return view(*args, **kwargs).render()

    return english


urlpatterns = [
    path("schema/", _in_english(SpectacularAPIView.as_view(permission_classes=[AllowAny])), name="schema"),
    path(
        "docs/",
        # Its style sheet carries small pictures.
        csp_update({"img-src": ["data:"]})(
            SpectacularSwaggerSplitView.as_view(
                url_name="api:schema", permission_classes=[AllowAny], template_name="api_docs.html"
            )
        ),
        name="docs",
    ),
]
