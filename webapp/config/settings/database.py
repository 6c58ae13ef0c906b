"""The database."""

from webapp.config import tls
from webapp.config.environment import owner_database
from webapp.config.settings.limits import DATABASE_CONNECT_TIMEOUT_SECONDS, DATABASE_CONNECTION_KEPT_SECONDS
from webapp.config.settings.reading import env

# --- database -----------------------------------------------------------------------------------------------
_DATABASE = env.dj_db_url(
    "DATABASE_URL", conn_max_age=DATABASE_CONNECTION_KEPT_SECONDS, conn_health_checks=True
)  # `postgresql://…/name`
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
DATABASES["default"]["OPTIONS"].setdefault("connect_timeout", DATABASE_CONNECT_TIMEOUT_SECONDS)
