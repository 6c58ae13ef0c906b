"""Who is who on this machine: servers of the stack know their clients by certificates of its own authority.

Passwords would not do: some ports of SeaweedFS know none. Keys are readable by the stack's account alone, as
its other secrets are, and good for as long as anybody leaves it running.
"""

from pathlib import Path

from infra.local.config.settings import Settings

STORE = "seaweedfs"  # its parts are one another's clients
MODEL_SERVER = "serving"
PRODUCT = "product"  # whoever asks the model server


def make(settings: Settings) -> None:
    """Have all certificates, those anew that would run out within half of their time."""
    from infra.local.config import certificates  # here, because cryptography takes its time

    settings.certificates.mkdir(mode=0o700, parents=True, exist_ok=True)
    certificates.make(
        settings.certificates,
        servers=(STORE, MODEL_SERVER),
        clients=(STORE, PRODUCT),
        days=certificates.AUTHORITY_DAYS,
        renew_days=certificates.AUTHORITY_DAYS // 2,
    )


def ca(settings: Settings) -> Path:
    return settings.certificates / "ca.pem"


def certificate(settings: Settings, name: str) -> Path:
    return settings.certificates / f"{name}.pem"


def key(settings: Settings, name: str) -> Path:
    return settings.certificates / f"{name}.key"
