from hashlib import sha256
from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "ES256",
    "ES384",
    "EdDSA",
)  # never none, never a shared secret


def nonce_for(code_verifier: str) -> str:
    """Bound to the verifier of PKCE, which the session keeps, so that nothing else has to be kept."""
    return sha256(f"nonce {code_verifier}".encode()).hexdigest()


class OpenIdAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth carries no types
    _code_verifier: str | None = None

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: OAuth2Client, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        self._code_verifier = pkce_code_verifier
        answer: dict[str, Any] = super().get_access_token_data(request, app, client, pkce_code_verifier)
        return answer

    def complete_login(
        self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        """Check the ID token, ask the provider about the person, and take both for one answer.

        Raises:
            OAuth2Error: the token is not the provider's, not for us, not of this sign-in, or too old.
        """
        claims = self._verified(app, kwargs["response"].get("id_token", ""))
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.profile_url, headers={"Authorization": f"Bearer {token.token}"})
        answer.raise_for_status()
        person = answer.json()
        if person.get("sub") != claims["sub"]:  # Core 5.3.2: must not be used
            # untranslated: the page says no more than that it failed
            raise OAuth2Error("the answer about the person is about another person")
        data = {"id_token": claims, "userinfo": person}
        login: SocialLogin = self.get_provider().sociallogin_from_response(request, data)
        login.auth_time = claims.get("auth_time")  # for webapp.accounts.proof
        return login

    def _verified(self, app: Any, id_token: str) -> dict[str, Any]:
        """The claims of an ID token (Core 3.1.3.7)."""
        try:
            keys = jwt.PyJWKClient(self.openid_config["jwks_uri"], timeout=settings.OIDC_KEYS_TIMEOUT_SECONDS)
            claims: dict[str, Any] = jwt.decode(
                id_token,
                keys.get_signing_key_from_jwt(id_token),
                algorithms=ALGORITHMS,
                audience=app.client_id,
                issuer=self.openid_config["issuer"],
                leeway=settings.OIDC_CLOCK_LEEWAY_SECONDS,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.PyJWTError as error:
            # untranslated: as above
            raise OAuth2Error(f"the ID token is not to be trusted: {error}") from error
        if self._code_verifier and claims.get("nonce") != nonce_for(self._code_verifier):
            # untranslated: as above
            raise OAuth2Error("the ID token is of another sign-in")
        return claims
