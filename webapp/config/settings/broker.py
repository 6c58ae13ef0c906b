"""The broker, and the cache that rates are counted in."""

from webapp.config import tls
from webapp.config.settings.limits import CACHE_TIMEOUT_SECONDS
from webapp.config.settings.reading import env

# --- broker and cache ---------------------------------------------------------------------------------------
BROKER_URL = env.str("BROKER_URL")  # Redis or Valkey: `rediss://:password@host:6379/0`
CACHE_URL = env.str("CACHE_URL", BROKER_URL)  # for rates of sign-in, shared by all web processes
BROKER_TLS = tls.TlsFiles(
    "BROKER",
    ca=env.path("BROKER_CA", None),  # CA of a rediss:// broker and cache; without it, those everybody knows
    certificate=env.path("BROKER_CERTIFICATE", None),  # ours, for a broker that asks for one
    key=env.path("BROKER_KEY", None),  # its private key
)
BROKER_OPTIONS = BROKER_TLS.redis(BROKER_URL)

CACHES = {
    "default": {
        "BACKEND": "webapp.http.fail_open_cache.FailOpenCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": "hematovision",
        "OPTIONS": {
            "socket_connect_timeout": CACHE_TIMEOUT_SECONDS,
            "socket_timeout": CACHE_TIMEOUT_SECONDS,
            **BROKER_TLS.redis(CACHE_URL),
        },
    }
}
