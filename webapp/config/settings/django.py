"""How Django is put together."""

from django.conf.locale import LANG_INFO
from django.utils.translation import to_language

from webapp.config.environment import strong_secret
from webapp.config.settings.reading import WEBAPP, env


def language_name(code: str) -> str:
    """As its speakers call it; of one that Django does not know by the country, as `de-at`, with its code."""
    if "name_local" in (info := LANG_INFO.get(code, {})):
        return str(info["name_local"]).capitalize()
    general = LANG_INFO.get(code.partition("-")[0], {}).get("name_local", "")
    return f"{general} ({code})".strip().capitalize()


# --- Django -------------------------------------------------------------------------------------------------
SECRET_KEY = strong_secret(env.str("SECRET_KEY"))  # signs sessions and links; 50 random characters or more
DEBUG = env.bool("DEBUG", False)  # shows errors with their insides: never where others can see
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1"])  # names that the web answers to
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])  # others whose pages may post to ours

ROOT_URLCONF = "webapp.config.urls"
WSGI_APPLICATION = "webapp.config.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
USE_TZ = True

INSTALLED_APPS = [
    "csp",
    "django.contrib.admin.apps.SimpleAdminConfig",  # ours is webapp.accounts.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",  # indexes by class of operators
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
    "webapp.patients",
    "webapp.cases",
    "webapp.registry",
    "webapp.inference",
    "webapp.ranges",
    "webapp.rules",
    "webapp.review",
    "webapp.results",
    "webapp.reports",
    "webapp.worklist",
    "webapp.outbox",
    "webapp.jobs",
    "webapp.exports",
    "webapp.notifications",
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
    "webapp.telemetry.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "webapp.http.charset.CharsetMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
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
    "webapp.accounts.enumeration.EnumerationMiddleware",
    "webapp.labs.middleware.LabScopeMiddleware",
    "webapp.http.bodies.BodyMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["webapp.ui.templatetags.forms", "webapp.language.dates"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- language -----------------------------------------------------------------------------------------------
# English, in which the texts are written, and each that has a catalogue: a language is one file.
LOCALE_PATHS = [WEBAPP / "locale"]
LANGUAGE_CODE = "en"
_TRANSLATED = (path.parts[-3] for path in LOCALE_PATHS[0].glob("*/LC_MESSAGES/django.po"))
LANGUAGES = [(code, language_name(code)) for code in sorted({LANGUAGE_CODE, *map(to_language, _TRANSLATED)})]
FORMAT_MODULE_PATH = ["webapp.config.formats"]

# --- static files -------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", WEBAPP.parent / "var" / "static")  # where `collectstatic` puts files
STORAGES = {"staticfiles": {"BACKEND": "webapp.ui.staticfiles.ModuleStaticFilesStorage"}}
