"""Whether each service answers, asked as its clients would ask."""

# The clients are imported where a service is asked: most commands that know the stack ask none.

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable

from infra.local.config.environment import environment
from infra.local.config.secrets import Secrets
from infra.local.config.settings import Settings
from infra.local.limits import SERVICE_TIMEOUT_S, WEB_TIMEOUT_S

# Asked here whether it answers: whom its certificate is for, and who vouches for it, is for others to judge.
_any_certificate = ssl.create_default_context()
_any_certificate.check_hostname, _any_certificate.verify_mode = False, ssl.CERT_NONE
# Not through a proxy: everything asked here is on this machine.
_http = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=_any_certificate)
)


def service_checks(settings: Settings, secrets: Secrets) -> dict[str, Callable[[], bool]]:
    """For each service that stores something, a question whose answer is whether it is ready."""
    env = environment(settings, secrets)

    import psycopg
    import redis

    def postgres() -> bool:
        with psycopg.connect(env["HEMATOVISION_DATABASE_URL"], connect_timeout=SERVICE_TIMEOUT_S):
            return True

    def valkey() -> bool:
        with redis.Redis.from_url(env["HEMATOVISION_BROKER_URL"], socket_timeout=SERVICE_TIMEOUT_S) as client:
            return bool(client.ping())

    def seaweedfs() -> bool:
        with _http.open(env["HEMATOVISION_S3_ENDPOINT"] + "/status", timeout=SERVICE_TIMEOUT_S):
            return True

    checks = {"postgres": postgres, "valkey": valkey, "seaweedfs": seaweedfs}
    failures = (OSError, psycopg.OperationalError, redis.RedisError)
    return {name: _quiet(check, failures) for name, check in checks.items()}


def web_state(settings: Settings) -> dict[str, str] | None:
    """What the web says of itself at `/readyz`; None while it does not answer."""
    try:
        with _http.open(f"{settings.web_here}/readyz", timeout=WEB_TIMEOUT_S) as response:
            state: dict[str, str] = json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            state = json.load(error) if error.code == 503 else {}
    except (OSError, ValueError):
        return None
    return state


def _quiet(check: Callable[[], bool], failures: tuple[type[Exception], ...]) -> Callable[[], bool]:
    def ask() -> bool:
        try:
            return check()
        except failures:
            return False

    return ask
