from typing import Any

from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from webapp.accounts.openid.adapter import OpenIdAdapter


def _view(of: type[Any]) -> Any:
    def view(request: HttpRequest, provider_id: str) -> HttpResponse:
        try:
            response: HttpResponse = of.adapter_view(OpenIdAdapter(request, provider_id))(request)
        except SocialApp.DoesNotExist:
            raise Http404 from None
        return response

    return view


# The names by which allauth's provider finds them.
urlpatterns = [
    path("oidc/<slug:provider_id>/login/", _view(OAuth2LoginView), name="openid_connect_login"),
    path(
        "oidc/<slug:provider_id>/login/callback/", _view(OAuth2CallbackView), name="openid_connect_callback"
    ),
]
