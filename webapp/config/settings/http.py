"""HTTPS, cookies, headers, and the content security policy."""

from hashlib import sha256
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from webapp.config.settings.django import SECRET_KEY
from webapp.config.settings.reading import env
from webapp.config.settings.storage import S3_PUBLIC_ENDPOINT

# --- HTTPS, cookies and headers -----------------------------------------------------------------------------
HTTPS = env.bool("HTTPS", False)  # people reach the pages by https://, through a proxy that ends TLS
PROXIES = env.int("PROXIES", 0)  # proxies before the web, which may say for whom and over what they ask
if HTTPS and not PROXIES:
    raise ImproperlyConfigured(
        "HEMATOVISION_HTTPS needs HEMATOVISION_PROXIES: how many proxies stand before the web; they end TLS."
    )
ALLAUTH_TRUSTED_PROXY_COUNT = PROXIES
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]  # asked by the machines beside us
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXIES else None
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 31_536_000) if HTTPS else 0  # how long browsers insist on https
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
# Whether browsers carry the name in their built-in lists is for the owner of the domain to ask.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
# Browsers take a cookie called __Host- only from this very host over https, for all its paths. They do not
# tell ports apart: of two installations on one host each has names of its own, or they would end each other's
# sessions.
_COOKIES = "__Host-" if HTTPS else ""
_INSTALLATION = sha256(f"cookies of {SECRET_KEY}".encode()).hexdigest()[:8]
SESSION_COOKIE_NAME = f"{_COOKIES}sessionid-{_INSTALLATION}"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # not Strict: one comes from e-mails and identity providers, too
CSRF_COOKIE_NAME = f"{_COOKIES}csrftoken-{_INSTALLATION}"
DEVICE_COOKIE_NAME = f"{_COOKIES}device-{_INSTALLATION}"
MESSAGE_STORAGE = (
    "django.contrib.messages.storage.session.SessionStorage"  # no cookie, which every request carries
)
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True  # pages hand the token to scripts
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

# --- content security policy --------------------------------------------------------------------------------
# Pages carry no inline script or style. Pictures come from the object store, and uploads go straight to it.
_store = urlsplit(S3_PUBLIC_ENDPOINT)
# The policy's grammar has no IPv6 addresses: of a store that has no name, all that can be said is the scheme.
_STORE = f"{_store.scheme}:" if "[" in _store.netloc else f"{_store.scheme}://{_store.netloc}"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, _STORE],
        "connect-src": [SELF, _STORE],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}
