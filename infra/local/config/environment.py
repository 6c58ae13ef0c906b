"""The environment variables of the product's own programs on this machine."""

import os
from urllib.parse import quote, urlsplit

from infra.language import SOURCE
from infra.local.config import authority
from infra.local.config.secrets import Secrets, data_keys_file
from infra.local.config.settings import LOOPBACK, PREFIX, Settings, bracketed

# Whatever the locale says. Python reads the names of its own folders in the locale's encoding, in any mode.
# Logs are in one language.
LOCALE = {"LC_ALL": "C.UTF-8", "LANGUAGE": SOURCE, "PYTHONUTF8": "1"}


def environment(settings: Settings, secrets: Secrets) -> dict[str, str]:
    """Variables that `webapp.config.settings` and the workers read; the same for all our programs."""
    names = sorted({*settings.names, settings.host, LOOPBACK, "localhost"})
    values = {
        "HOME": str(settings.home),
        "SECRET_KEY": secrets.django,
        "ALLOWED_HOSTS": ",".join(map(bracketed, names)),
        "PROXIES": str(1 + settings.proxies),  # Caddy
        # Who wants plain text beyond this machine has said so.
        "REQUIRE_TLS": str(settings.scheme == "https" or not settings.beyond_loopback).lower(),
        "DATABASE_URL": (
            f"postgresql://hematovision_app:{secrets.postgres_app}@{LOOPBACK}:{settings.port('postgres')}"
            "/hematovision"
        ),
        "BROKER_URL": f"redis://:{secrets.valkey}@{LOOPBACK}:{settings.port('valkey')}/0",
        "WEB_ORIGINS": ",".join(map(settings.address, names)),
        "EMAIL_URL": os.environ.get(f"{PREFIX}EMAIL_URL") or f"file:///{quote(str(settings.mail))}",
        "STATIC_ROOT": str(settings.home / "static"),
        "S3_ENDPOINT": f"http://{LOOPBACK}:{settings.port('s3')}",
        "S3_PUBLIC_ENDPOINT": settings.address(settings.public_host, "s3-public"),
        "S3_ACCESS_KEY": secrets.s3_access,
        "S3_SECRET_KEY": secrets.s3_secret,
        "S3_BUCKET": "hematovision",
        "DATA_KEYS_FILE": str(data_keys_file(settings.home)),
        "MODEL_KEY": secrets.model,
        "MODELS": str(settings.home / "models"),
        "SERVING_TARGET": f"{LOOPBACK}:{settings.port('serving')}",
        "SERVING_CA": str(authority.ca(settings)),
        "SERVING_CERTIFICATE": str(authority.certificate(settings, authority.PRODUCT)),
        "SERVING_KEY": str(authority.key(settings, authority.PRODUCT)),
        "WATCHED_CERTIFICATES": f"{LOOPBACK}:{settings.port('serving')}",  # all end on one day
    }
    if settings.scheme == "https":
        values["HTTPS"] = "true"
    if settings.certificate:  # the authority's own are renewed by Caddy
        values["WATCHED_CERTIFICATES"] += f",{urlsplit(settings.web_here).netloc}"
    # Programs read the one or the other; each gets what either said.
    exempt = ",".join(os.environ.get(name, "") for name in ("NO_PROXY", "no_proxy")).split(",")
    direct = ",".join(dict.fromkeys(filter(None, [*map(str.strip, exempt), LOOPBACK, "localhost"])))
    return {
        **{PREFIX + name: value for name, value in values.items()},
        # A site's proxy settings must not catch what never leaves the machine (boto3 and gRPC obey them).
        "NO_PROXY": direct,
        "no_proxy": direct,
        "PYTHONUNBUFFERED": "1",
        **LOCALE,
    }


def owner(settings: Settings, secrets: Secrets) -> dict[str, str]:
    """Further variables, for commands that make and change the tables of the database."""
    address = f"{LOOPBACK}:{settings.port('postgres')}"
    return {
        f"{PREFIX}DATABASE_OWNER_URL": f"postgresql://hematovision:{secrets.postgres}@{address}/hematovision"
    }
