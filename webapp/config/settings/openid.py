"""Signing in through other services."""

from typing import Any

from webapp.config.settings.reading import env

# --- sign-in through other services (OpenID Connect) --------------------------------------------------------
SOCIALACCOUNT_ADAPTER = "webapp.accounts.adapters.SocialAccountAdapter"
SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX = ""  # in our own addresses already
GOOGLE_CLIENT_ID = env.str("GOOGLE_CLIENT_ID", "")  # of the OAuth client; empty: Google is not offered
LINKEDIN_CLIENT_ID = env.str("LINKEDIN_CLIENT_ID", "")  # of the LinkedIn app; empty: it is not offered
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", "")  # at your own identity provider; empty: there is none
OPENID_PROVIDERS: list[dict[str, Any]] = []
if GOOGLE_CLIENT_ID:
    OPENID_PROVIDERS += [
        {
            "provider_id": "google",
            "name": "Google",
            "client_id": GOOGLE_CLIENT_ID,
            "secret": env.str("GOOGLE_CLIENT_SECRET"),  # only with HEMATOVISION_GOOGLE_CLIENT_ID
            "settings": {"server_url": "https://accounts.google.com", "oauth_pkce_enabled": True},
        }
    ]
if LINKEDIN_CLIENT_ID:
    OPENID_PROVIDERS += [
        {
            "provider_id": "linkedin",
            "name": "LinkedIn",
            "client_id": LINKEDIN_CLIENT_ID,
            "secret": env.str("LINKEDIN_CLIENT_SECRET"),  # only with HEMATOVISION_LINKEDIN_CLIENT_ID
            # LinkedIn rejects PKCE where there is a secret, and sends no nonce back.
            "settings": {"server_url": "https://www.linkedin.com/oauth", "oauth_pkce_enabled": False},
        }
    ]
if OIDC_CLIENT_ID:
    OPENID_PROVIDERS += [
        {
            "provider_id": "hospital",
            "name": env.str("OIDC_NAME", "your hospital"),  # as the button calls your identity provider
            "client_id": OIDC_CLIENT_ID,
            "secret": env.str("OIDC_CLIENT_SECRET"),  # only with HEMATOVISION_OIDC_CLIENT_ID
            "settings": {
                "server_url": env.str("OIDC_SERVER_URL"),  # only with HEMATOVISION_OIDC_CLIENT_ID: the issuer
                "oauth_pkce_enabled": True,
                "email_authentication": env.bool("OIDC_TRUST_EMAIL", False),  # signs in to accounts made here
                "says_when": env.bool("OIDC_FRESH_SIGN_IN", True),  # it heeds `max_age=0`, tells `auth_time`
            },
        }
    ]
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "provider_class": "webapp.accounts.openid.provider.OpenIdProvider",
        "APPS": OPENID_PROVIDERS,
    }
}
