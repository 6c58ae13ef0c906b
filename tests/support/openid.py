"""An OpenID provider that speaks the real protocol (discovery, code with PKCE, JWKS, ID token, userinfo).

The protocol is Authlib's; here are only its clients, its people, and the ways in which it can be made to lie.
"""

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2.rfc6749 import ClientMixin, OAuth2Request, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import AuthorizationCodeMixin, OpenIDCode, UserInfo
from flask import Flask, Response, jsonify
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

from tests.support.present import present

CLIENT_ID, CLIENT_SECRET = "hematovision", "a secret: of ours"
KID = "the only key"


class Client(ClientMixin):
    client_id = CLIENT_ID

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_allowed_scope(self, scope: Collection[str] | str) -> str:
        return scope if isinstance(scope, str) else " ".join(scope)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.endswith("/accounts/oidc/hospital/login/callback/")

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code(AuthorizationCodeMixin):
    redirect_uri: str
    scope: str
    nonce: str | None
    person: dict[str, Any]
    code_challenge: str | None
    code_challenge_method: str | None
    auth_time: int = field(default_factory=lambda: int(time.time()))

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> str:
        return ""

    def get_amr(self) -> list[str]:
        return []


@dataclass
class Token(TokenMixin):
    person: dict[str, Any]

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return False

    def get_scope(self) -> str:
        return "openid profile email"


@dataclass
class Provider:
    """Attributes:
    person: who sits at the provider and says yes; claims of OpenID Connect.
    lies: what it gets wrong: `signature`, `nonce`, `audience`, `issuer`, `expiry` or `person`.
    """

    url: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    lies: set[str] = field(default_factory=set)
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    key: RSAKey = field(default_factory=RSAKey.generate_key)

    def settings(self, **more: Any) -> dict[str, Any]:
        """For `SOCIALACCOUNT_PROVIDERS`."""
        app = {
            "provider_id": "hospital",
            "name": "St. Elsewhere",
            "client_id": CLIENT_ID,
            "secret": CLIENT_SECRET,
            "settings": {"server_url": self.url, "oauth_pkce_enabled": True, **more},
        }
        provider_class = "webapp.accounts.openid.provider.OpenIdProvider"
        return {"openid_connect": {"provider_class": provider_class, "APPS": [app]}}


def _false_claims(lies: set[str]) -> dict[str, Any]:
    false: dict[str, dict[str, object]] = {
        "issuer": {"iss": "https://elsewhere.example"},
        "audience": {"aud": "another"},
        "expiry": {"exp": int(time.time()) - 3600},
    }
    return {name: value for lie in lies & false.keys() for name, value in false[lie].items()}


def _application(provider: Provider) -> Flask:
    app = Flask(__name__)

    class CodeGrant(grants.AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

        def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
            assert request.user
            asked = present(request.payload).data
            provider.codes[code] = Code(
                redirect_uri=asked["redirect_uri"],
                scope=asked["scope"],
                nonce=asked.get("nonce"),
                person=request.user,
                code_challenge=asked.get("code_challenge"),
                code_challenge_method=asked.get("code_challenge_method"),
            )

        def query_authorization_code(self, code: str, client: ClientMixin) -> Code | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            provider.codes = {c: kept for c, kept in provider.codes.items() if kept is not authorization_code}

        def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
            return authorization_code.person

    class IdToken(OpenIDCode):
        def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
            return any(code.nonce == nonce for code in provider.codes.values())

        def get_client_algorithm(self, client: ClientMixin) -> str:
            return "RS256"

        def resolve_client_private_key(self, client: ClientMixin) -> RSAKey:
            return RSAKey.generate_key() if "signature" in provider.lies else provider.key

        def get_encode_header(self, client: ClientMixin) -> dict[str, str]:
            return {"alg": "RS256", "kid": KID}

        def get_client_claims(self, client: ClientMixin) -> dict[str, str]:
            return {"iss": provider.url, "aud": CLIENT_ID}

        def get_compatible_claims(self, request: OAuth2Request) -> dict[str, Any]:
            return {**super().get_compatible_claims(request), **_false_claims(provider.lies)}

        def get_authorization_code_claims(self, authorization_code: AuthorizationCodeMixin) -> dict[str, Any]:
            told = super().get_authorization_code_claims(authorization_code)
            return {**told, "nonce": "of another sign-in"} if "nonce" in provider.lies else told

        def generate_user_info(self, user: dict[str, Any], scope: str) -> UserInfo:
            return UserInfo(user)

    def save_token(token: dict[str, str], request: OAuth2Request) -> None:
        assert request.user
        provider.tokens[token["access_token"]] = Token(request.user)

    class Bearer(BearerTokenValidator):
        def authenticate_token(self, token_string: str) -> Token | None:
            return provider.tokens.get(token_string)

    server = AuthorizationServer(app, query_client=lambda client_id: Client(), save_token=save_token)
    server.register_grant(CodeGrant, [IdToken(require_nonce=False), CodeChallenge(required=True)])
    resources = ResourceProtector()
    resources.register_token_validator(Bearer())

    @app.get("/.well-known/openid-configuration")
    def discovery() -> Response:
        endpoints = {
            f"{name}_endpoint": f"{provider.url}/{name}" for name in ("authorization", "token", "userinfo")
        }
        return jsonify(issuer=provider.url, jwks_uri=f"{provider.url}/jwks", **endpoints)

    @app.get("/jwks")
    def jwks() -> Response:
        return jsonify(keys=[provider.key.as_dict(private=False, kid=KID, alg="RS256", use="sig")])

    # The stubs of both answers tell of any framework's.
    @app.get("/authorization")
    def authorization() -> Response:
        grant = server.get_consent_grant(provider.person)
        return cast(Response, server.create_authorization_response(grant=grant, grant_user=provider.person))

    @app.post("/token")
    def token() -> Response:
        return cast(Response, server.create_token_response())

    @app.get("/userinfo")
    def userinfo() -> Response:
        other = {"sub": "another"} if "person" in provider.lies else {}
        with resources.acquire() as token:
            return jsonify({**token.person, **other})

    return app


@contextmanager
def running() -> Iterator[Provider]:
    provider = Provider()
    server = make_server("127.0.0.1", 0, _application(provider), threaded=True)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
