"""Make what docker-compose.yml needs once: `docker compose run --rm set-up`. Safe to repeat.

Secrets and certificates become files in one folder, and those files and the volumes are given to the account
that all containers run as. A file that is there is left as it is, so that a secret can be replaced by hand;
certificates that run out within 90 days are made anew.
"""

import argparse
import base64
import os
import subprocess
import sys
from pathlib import Path
from secrets import token_hex

from infra.language import _
from infra.local.config import certificates
from infra.local.config.secrets import Secrets, write_private
from infra.local.programs.seaweedfs import identities, keys
from serving.manifest import Publisher

# The last is not ours: where traces are wanted, it is the site's.
SERVICES = ("postgres", "redis", "seaweedfs", "serving", "collector")
# The store's parts are one another's clients; a model server asks itself whether it is well.
CLIENTS = ("product", "seaweedfs", "serving")
_TF_SERVING = "serving-ssl.config"


def main() -> None:
    options = _parse()
    made = make(options.secrets)
    for volume in sorted(options.volumes.iterdir()) if options.volumes else ():
        _give(volume, options.owner)
        volume.chmod(0o700)
    for file in options.secrets.iterdir():
        _give(file, options.owner)
    print(_("Made: %(made)s.") % {"made": ", ".join(made)} if made else _("Everything is there."))  # noqa: T201


def make(folder: Path) -> list[str]:
    """Have every secret and certificate in `folder`; returns the names of what was made now."""
    folder.mkdir(mode=0o700, exist_ok=True)
    renewed = certificates.make(folder, SERVICES, CLIENTS)
    if "serving" in renewed or not (folder / _TF_SERVING).exists():
        _write_ssl_config(folder)
        renewed.append(_TF_SERVING)
    wanted = _files(Secrets.load(folder))
    _part_owner_from_product(folder, wanted["DATABASE_OWNER_URL"])
    missing = [name for name in wanted if not (folder / name).exists()]
    for name in missing:
        write_private(folder / name, wanted[name])
    return [*renewed, *missing]


def _files(secrets: Secrets) -> dict[str, str]:
    """Each secret as the program that reads it wants it, by file name."""
    flower = f"hematovision:{secrets.flower}"
    return {
        "SECRET_KEY": secrets.django,
        "POSTGRES_PASSWORD": token_hex(32),
        "HEMATOVISION_PASSWORD": secrets.postgres,
        "HEMATOVISION_APP_PASSWORD": secrets.postgres_app,
        "DATABASE_OWNER_URL": f"postgresql://hematovision:{secrets.postgres}@postgres:5432/hematovision",
        "DATABASE_URL": f"postgresql://hematovision_app:{secrets.postgres_app}@postgres:5432/hematovision",
        "BROKER_URL": f"rediss://:{secrets.valkey}@redis:6379/0",
        "redis.acl": (
            # untranslated: the broker reads it
            f"user default on >{secrets.valkey} ~* &* +@all\n"
            "user probe on >probe resetkeys resetchannels -@all +ping\n"
        ),
        "MODEL_KEY": secrets.model,
        "publisher": Publisher(secrets.model).public,
        "S3_ACCESS_KEY": secrets.s3_access,
        "S3_SECRET_KEY": secrets.s3_secret,
        "s3.json": identities(secrets),
        "flowerconfig.py": f"basic_auth = [{flower!r}]\n",
        "flower-login": base64.b64encode(flower.encode()).decode(),  # as Caddy shows it to Flower
        "security.toml": "".join(f'{name} = "{value}"\n' for name, value in keys(secrets).items()),
    }


def _part_owner_from_product(folder: Path, owner: str) -> None:
    """Up to the release before, one URL was for all: it is the owner's, and the product gets its own.

    One that was put there by hand stays the product's as well: of the roles in another database we know none.
    """
    ours, owners = folder / "DATABASE_URL", folder / "DATABASE_OWNER_URL"
    if ours.exists() and not owners.exists():
        write_private(owners, ours.read_text())
        if ours.read_text() == owner:
            ours.unlink()


def _write_ssl_config(folder: Path) -> None:
    """The model server's certificate as tensorflow/serving wants it; how is known in serving only."""
    pair = (f"--certificate={folder / 'serving.pem'}", f"--key={folder / 'serving.key'}")
    clients = f"--client-ca={folder / 'ca.pem'}"
    module = (sys.executable, "-m", "serving.ssl_config")
    subprocess.run([*module, *pair, clients, str(folder / _TF_SERVING)], check=True)


def _give(path: Path, owner: int | None) -> None:
    if owner is not None:
        os.chown(path, owner, owner)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.compose.set_up",
        description=_(
            "Make what docker-compose.yml needs once: `docker compose run --rm set-up`. Safe to repeat. "
            "Secrets and certificates become files in one folder, and those files and the volumes are given "
            "to the account that all containers run as. A file that is there is left as it is, so that a "
            "secret can be replaced by hand; certificates that run out within 90 days are made anew."
        ),
    )
    parser.add_argument("--secrets", type=Path, required=True, help=_("folder of the secrets"))
    parser.add_argument("--volumes", type=Path, help=_("folder in which the volumes are mounted"))
    parser.add_argument("--owner", type=int, help=_("number of the account that gets them; default: ours"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
