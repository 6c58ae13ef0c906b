"""Django settings.

Every one is read strictly from `HEMATOVISION_<NAME>`, or from the file that `HEMATOVISION_<NAME>_FILE` names.
"""

import os
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import validate

from serving.channel import ChannelTls
from webapp.config import tls
from webapp.config.environment import StrictEnv, data_keys, owner_database, strong_secret
from webapp.telemetry import tracing
from webapp.telemetry.exposition import share_metrics

env = StrictEnv()

WEBAPP = Path(__file__).resolve().parent.parent

# --- Django -------------------------------------------------------------------------------------------------
SECRET_KEY = strong_secret(env.str("SECRET_KEY"))  # signs sessions and links; 50 random characters or more
DEBUG = env.bool("DEBUG", False)  # shows errors with their insides: never where others can see
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1"])  # names that the web answers to
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])  # others whose pages may post to ours

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

# --- how Django is put together -----------------------------------------------------------------------------
ROOT_URLCONF = "webapp.config.urls"
WSGI_APPLICATION = "webapp.config.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

INSTALLED_APPS = [
    "csp",
    "django.contrib.admin.apps.SimpleAdminConfig",  # ours is webapp.accounts.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "webapp.audit",
    "webapp.crypto",
    "webapp.accounts",
    "webapp.labs",
    "webapp.cases",
    "webapp.registry",
    "webapp.inference",
    "webapp.outbox",
    "webapp.mail",
    "webapp.storage",
    "webapp.backup",
    "webapp.operations",
    "webapp.ui",
    # Behind ours: our templates stand in for theirs.
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
]

MIDDLEWARE = [
    "webapp.http.headers.HeadersMiddleware",
    "webapp.telemetry.requests.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "webapp.http.charset.CharsetMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "webapp.audit.middleware.AuditMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "webapp.operations.status.StatusPageMiddleware",
    "webapp.accounts.even.EvenMailMiddleware",
    "webapp.labs.middleware.LabScopeMiddleware",
    "webapp.http.bodies.BodyMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["webapp.ui.templatetags.forms"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- database -----------------------------------------------------------------------------------------------
_DATABASE = env.dj_db_url("DATABASE_URL", conn_max_age=600, conn_health_checks=True)  # `postgresql://…/name`
_OWNER = env.str("DATABASE_OWNER_URL", "")  # as the role that owns the tables: `migrate`, `restore`
DATABASES = {"default": owner_database(_OWNER) if _OWNER else _DATABASE}
DATABASE_ROLE = _DATABASE["USER"]  # the product's: what it may do is in webapp.audit.privileges
DATABASE_TLS = tls.TlsFiles(
    "DATABASE",
    ca=env.path("DATABASE_CA", None),  # CA of the database; given, its certificate and name are checked
    certificate=env.path("DATABASE_CERTIFICATE", None),  # ours, for a database that asks for one
    key=env.path("DATABASE_KEY", None),  # its private key, readable by its owner alone
)
DATABASES["default"].setdefault("OPTIONS", {}).update(DATABASE_TLS.postgres())
# Seconds. Without it, whoever connects to a database that hangs waits for minutes.
DATABASES["default"]["OPTIONS"].setdefault("connect_timeout", 3)

# --- sign-in ------------------------------------------------------------------------------------------------
SESSION_ENGINE = "webapp.accounts.session_store"
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", 12) * 3600  # after which a person signs in again
SESSION_EXPIRE_AT_BROWSER_CLOSE = True  # workstations are shared
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "webapp.accounts.hashers.Argon2id",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # of accounts from before; changed when they sign in
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "ui:home"
LOGOUT_REDIRECT_URL = "account_login"
_open_or_invited = validate.OneOf(["open", "invited"])
SIGN_UP = env.str(
    "SIGN_UP", "invited", validate=_open_or_invited
)  # who may make an account: `open` is everybody
ACCOUNT_ADAPTER = "webapp.accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "webapp.accounts.forms.SignUpForm",
    "request_login_code": "webapp.accounts.forms.CodeForm",
    "reset_password": "webapp.accounts.forms.ForgottenPasswordForm",
    "reset_password_from_key": "webapp.accounts.forms.PasswordByCodeForm",
    "change_password": "webapp.accounts.forms.NewPasswordForm",
}
ACCOUNT_SIGNUP_FORM_CLASS = (
    "webapp.accounts.name_form.NameForm"  # apart from forms.py, which imports what reads this
)
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a person hears of every change to the account
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = SIGN_UP == "open"  # else no message goes to strangers
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60  # for so long a sign-in is fresh
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",  # a hospital may share one address
    "login_failed": "60/m/ip,5/5m/key",  # the key: address and account, or known browser and account
    "login_failed_unknown_browser": "50/h/key",  # the key: the account, from whatever address
}
MFA_ADAPTER = "webapp.accounts.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "HematoVision"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # http://localhost; browsers allow no other
USERSESSIONS_ADAPTER = "webapp.accounts.adapters.UserSessionsAdapter"

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
            # LinkedIn refuses PKCE where there is a secret, and sends no nonce back.
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
            },
        }
    ]
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "provider_class": "webapp.accounts.openid.provider.OpenIdProvider",
        "APPS": OPENID_PROVIDERS,
    }
}

# --- e-mail -------------------------------------------------------------------------------------------------
# Such as submission://user:password@host (STARTTLS), smtp://user:password@host:465?ssl=True, file:////a/folder
_MAIL = env.dj_email_url("EMAIL_URL", "smtp://localhost:25")  # takes our messages; `submission://` with TLS
EMAIL_BACKEND = "webapp.mail.backend.OutboxBackend"  # messages wait in the database for the relay
MAIL_TRANSPORT = _MAIL["EMAIL_BACKEND"]  # by which it hands them over
EMAIL_FILE_PATH = unquote(_MAIL["EMAIL_FILE_PATH"])
EMAIL_HOST = _MAIL["EMAIL_HOST"]
EMAIL_PORT = _MAIL["EMAIL_PORT"]
EMAIL_HOST_USER = _MAIL["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _MAIL["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = _MAIL["EMAIL_USE_TLS"]
EMAIL_USE_SSL = _MAIL["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", "HematoVision <hematovision@localhost>")  # who they are from

# --- static files -------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", WEBAPP.parent / "var" / "static")  # where `collectstatic` puts files
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}

# --- labs ---------------------------------------------------------------------------------------------------
INVITATION_DAYS = env.int("INVITATION_DAYS", 7)  # until an invitation to a lab expires
INVITATIONS_A_DAY = env.int("INVITATIONS_A_DAY", 100)  # that a lab may send, those sent again included
INVITATIONS_A_DAY_TO_ONE = env.int("INVITATIONS_A_DAY_TO_ONE", 3)  # that a lab may send to one address
TOKEN_DAYS = env.int("TOKEN_DAYS", 365)  # the longest an API token may live

# --- API ----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "webapp.api.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["webapp.api.permissions.LabPermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["webapp.api.parsing.BoundedJSONParser"],
    "UNICODE_JSON": False,  # what was sent may come back in an error, and need not be fit for UTF-8
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["webapp.api.throttles.PerToken"],
    "EXCEPTION_HANDLER": "webapp.api.errors.handle",
    "NUM_PROXIES": PROXIES,  # sign-in rates go by address
}
API_RATE = env.str("API_RATE", "50/s")  # requests by each API token: a number per s, min, hour or day
SPECTACULAR_SETTINGS = {
    "TITLE": "HematoVision API",
    "DESCRIPTION": (
        "Blood-cell images in, a differential count out. Not a cleared medical device: every suggestion "
        "must be confirmed by a qualified person."
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "ImageStatus": "webapp.cases.models.Image.Status",
        "ModelVersionStatus": "webapp.registry.models.Status",
    },
}

# --- object store -------------------------------------------------------------------------------------------
S3_ENDPOINT = env.str("S3_ENDPOINT")  # the object store, as the product sees it
S3_PUBLIC_ENDPOINT = env.str("S3_PUBLIC_ENDPOINT", S3_ENDPOINT)  # as browsers and the command line see it
S3_ACCESS_KEY = env.str("S3_ACCESS_KEY")  # of a key that may read and write both buckets
S3_SECRET_KEY = env.str("S3_SECRET_KEY")  # the other half of that key
S3_BUCKET = env.str("S3_BUCKET", "hematovision")  # images
S3_SEALED_BUCKET = env.str("S3_SEALED_BUCKET", f"{S3_BUCKET}-sealed")  # anchors of the audit trail, locked
AUDIT_ANCHOR_DAYS = env.int("AUDIT_ANCHOR_DAYS", 6 * 365)  # how long the store must keep an anchor
S3_REGION = env.str("S3_REGION", "us-east-1")  # as the store names it
S3_TLS = tls.TlsFiles(
    "S3",
    ca=env.path("S3_CA", None),  # CA of an https:// endpoint; without it, those everybody knows
    certificate=env.path("S3_CERTIFICATE", None),  # ours, for a store that asks for one
    key=env.path("S3_KEY", None),  # its private key
)
WEB_ORIGINS = env.list("WEB_ORIGINS", ["http://localhost:8000", "http://127.0.0.1:8000"])  # may post to S3

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

# --- encryption ---------------------------------------------------------------------------------------------
# `id:base64-of-32-bytes`, separated by commas, the current key first; from a file they are read again when it
# changes.
DATA_KEYS = data_keys(env.str("DATA_KEYS"))  # encrypt identifiers and second factors, the current one first
DATA_KEYS_FILE = Path(path) if (path := os.environ.get("HEMATOVISION_DATA_KEYS_FILE")) else None

# --- broker and model server --------------------------------------------------------------------------------
BROKER_URL = env.str("BROKER_URL")  # Redis or Valkey: `rediss://:password@host:6379/0`
CACHE_URL = env.str("CACHE_URL", BROKER_URL)  # for rates of sign-in, shared by all web processes
BROKER_TLS = tls.TlsFiles(
    "BROKER",
    ca=env.path("BROKER_CA", None),  # CA of a rediss:// broker and cache; without it, those everybody knows
    certificate=env.path("BROKER_CERTIFICATE", None),  # ours, for a broker that asks for one
    key=env.path("BROKER_KEY", None),  # its private key
)
BROKER_OPTIONS = BROKER_TLS.redis(BROKER_URL)
SERVING_TARGET = env.str("SERVING_TARGET")  # host and port of the model server
SERVING_TLS = tls.TlsFiles(
    "SERVING",
    ca=env.path("SERVING_CA", None),  # CA of the model server; given, TLS is spoken with it
    certificate=env.path("SERVING_CERTIFICATE", None),  # ours, for a model server that asks for one
    key=env.path("SERVING_KEY", None),  # its private key
)
SERVING_NAME = env.str("SERVING_NAME", None)  # name in the model server's certificate, if not its host's
SERVING_CHANNEL = (
    ChannelTls(SERVING_TLS.ca, SERVING_TLS.certificate, SERVING_TLS.key, SERVING_NAME)
    if SERVING_TLS.ca
    else None
)
MODELS = env.path("MODELS", WEBAPP.parent / "var" / "models")  # the folder that the model server reads
MODEL_KEY = env.str(
    "MODEL_KEY", "", validate=validate.Regexp(r"([0-9a-f]{64})?", error="is 32 bytes in hexadecimal.")
)  # signs what is published; needed by `hematovision model` and the set-up alone
MODELS_MOUNT = env.str("MODELS_MOUNT", "/models")  # where tensorflow/serving sees that folder

# --- cache (rates of sign-in, shared by all web processes) --------------------------------------------------
CACHES = {
    "default": {
        "BACKEND": "webapp.http.cache.FailOpenCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": "hematovision",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1, **BROKER_TLS.redis(CACHE_URL)},
    }
}

# --- traces -------------------------------------------------------------------------------------------------
_http = validate.Regexp(r"https?://[^/\s]+/?$", error="is written https://host:port.")
TRACES_ENDPOINT = env.str("TRACES_ENDPOINT", "", validate=_http)  # a collector of OTLP/HTTP; empty: none
TRACES_RATIO = env.float("TRACES_RATIO", 1.0, validate=validate.Range(0, 1))  # of requests that are traced
TRACES_TLS = tls.TlsFiles(
    "TRACES",
    ca=env.path("TRACES_CA", None),  # CA of an https:// collector; without it, those everybody knows
    certificate=env.path("TRACES_CERTIFICATE", None),  # ours, for a collector that asks for one
    key=env.path("TRACES_KEY", None),  # its private key
)
if TRACES_ENDPOINT:
    tracing.check_installed()

# --- what must not go in plain text -------------------------------------------------------------------------
tls.check(
    [
        tls.Connection(
            "DATABASE_URL",
            DATABASES["default"].get("HOST", ""),
            DATABASES["default"]["OPTIONS"].get("sslmode") == "verify-full",
            "set HEMATOVISION_DATABASE_CA",
            DATABASE_TLS,
        ),
        tls.Connection.to_url("BROKER_URL", BROKER_URL, "rediss", BROKER_TLS),
        tls.Connection.to_url("CACHE_URL", CACHE_URL, "rediss", BROKER_TLS),
        tls.Connection.to_url("S3_ENDPOINT", S3_ENDPOINT, "https", S3_TLS),
        tls.Connection.to_url("S3_PUBLIC_ENDPOINT", S3_PUBLIC_ENDPOINT, "https", S3_TLS),
        tls.Connection(
            "SERVING_TARGET",
            SERVING_TARGET.rpartition("/")[2].rpartition(":")[0],
            SERVING_CHANNEL is not None,
            "set HEMATOVISION_SERVING_CA",
            SERVING_TLS,
        ),
        tls.Connection.to_url("TRACES_ENDPOINT", TRACES_ENDPOINT, "https", TRACES_TLS),
        tls.Connection("EMAIL_URL", EMAIL_HOST or "", EMAIL_USE_TLS or EMAIL_USE_SSL, "use submission://"),
        tls.Connection("ALLOWED_HOSTS", ",".join(ALLOWED_HOSTS), HTTPS, "set HEMATOVISION_HTTPS=true"),
    ],
    required=env.bool("REQUIRE_TLS", True),  # refuse to start where anything beyond this machine is plain
)

# --- uploads ------------------------------------------------------------------------------------------------
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", 20 * 1024 * 1024)  # of one file
UPLOAD_REQUEST_MAX_BYTES = env.int("UPLOAD_REQUEST_MAX_BYTES", 100 * 1024 * 1024)  # of one API request
UPLOAD_MAX_PIXELS = env.int("UPLOAD_MAX_PIXELS", 25_000_000)  # of one picture
UPLOAD_LINK_SECONDS = env.int("UPLOAD_LINK_SECONDS", 3600)  # for which an upload may be begun
DATA_UPLOAD_MAX_NUMBER_FILES = 100
FILE_UPLOAD_HANDLERS = ["webapp.uploads.handlers.NoFiles"]  # but for the one API view that takes images

# --- probes -------------------------------------------------------------------------------------------------
HEARTBEAT = env.path("HEARTBEAT", None)  # file that a worker or the relay touches while it is well

# --- metrics for Prometheus ---------------------------------------------------------------------------------
METRICS_LISTEN = env.str(
    "METRICS_LISTEN", "", validate=validate.Regexp(r".+:[0-9]{1,5}", error="is written host:port.")
)  # host:port on which a program tells its metrics; empty: nowhere. Not for the world
METRICS_TOKEN = env.str("METRICS_TOKEN", "")  # what Prometheus must show (Bearer); empty: nothing
if METRICS_LISTEN:
    share_metrics()
WATCHED_CERTIFICATES: list[str] = env.list("WATCHED_CERTIFICATES", [])  # PEM files, or host:port

# --- logs ---------------------------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")  # `DEBUG`, `INFO`, `WARNING` or `ERROR`
_shared_processors: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    *([tracing.name_trace] if TRACES_ENDPOINT else []),
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _shared_processors,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        }
    },
    "filters": {
        "rarely": {"()": "webapp.telemetry.tracing.Rarely"},
        "without_secrets": {"()": "webapp.telemetry.paths.WithoutSecrets"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_secrets"]},
        "rarely": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["rarely"]},
    },
    "loggers": {"opentelemetry": {"handlers": ["rarely"], "propagate": False}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
structlog.configure(
    processors=[*_shared_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)

env.check_names()
