"""Django settings, a module for each topic; here stand the checks that need several.

Every one is read strictly from `HEMATOVISION_<NAME>`, or from the file that `HEMATOVISION_<NAME>_FILE` names.
"""

from webapp.config import tls
from webapp.config.settings.api import *
from webapp.config.settings.broker import *
from webapp.config.settings.database import *
from webapp.config.settings.django import *
from webapp.config.settings.encryption import *
from webapp.config.settings.http import *
from webapp.config.settings.limits import *
from webapp.config.settings.logs import *
from webapp.config.settings.mail import *
from webapp.config.settings.openid import *
from webapp.config.settings.reading import env
from webapp.config.settings.serving import *
from webapp.config.settings.sign_in import *
from webapp.config.settings.storage import *
from webapp.config.settings.telemetry import *
from webapp.config.settings.uploads import *

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
    required=env.bool("REQUIRE_TLS", True),  # fail at the start where anything beyond this machine is plain
)

env.check_names()
