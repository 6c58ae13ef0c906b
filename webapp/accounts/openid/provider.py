from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from requests import RequestException

from webapp.accounts.openid.adapter import OpenIdAdapter, nonce_for
from webapp.writing.text import shown

KEPT = ("sub", "email", "name")


class OpenIdProvider(OpenIDConnectProvider):  # type: ignore[misc]  # allauth carries no types
    oauth2_adapter_class = OpenIdAdapter

    def get_pkce_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_pkce_params()
        if params:
            params["nonce"] = nonce_for(params["code_verifier"])
        return params

    def redirect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Leave by a page instead of a redirect.

        Browsers hold a form to `form-action` of our content security policy through all redirects that
        follow, and nobody knows beforehand which hosts a hospital's identity provider sends people on to.
        """
        try:
            response: HttpResponse = super().redirect(request, *args, **kwargs)
        except RequestException as error:
            response = render_authentication_error(request, self, exception=error)
        if not isinstance(response, HttpResponseRedirect):
            return response
        return render(request, "socialaccount/leaving.html", {"url": response.url, "provider": self})

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """What the account page shows, and no more: the rest is none of our business."""
        return {name: shown(str(data["userinfo"][name])) for name in KEPT if name in data["userinfo"]}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[EmailAddress]:
        addresses: list[EmailAddress] = super().extract_email_addresses(data)
        for address in addresses:
            # Some write it as text, in which "false" would count as true.
            address.verified = str(address.verified).lower() == "true"
        return addresses


provider_classes = [OpenIdProvider]
