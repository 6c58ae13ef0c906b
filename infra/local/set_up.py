"""Bring the database, the object store and the model folder to where our programs expect them.

`python -m infra.local.set_up`, with the stack's environment; safe to repeat. One process for several Django
commands, because starting Django is most of what each of them costs.
"""

import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import OperationalError
from environs import EnvError

from infra.local.programs.wheels import folder
from serving.contract import MODEL_NAME


def main() -> None:
    """Run the commands, in the order in which they need each other."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.config.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("prepare_storage")
    shipped = folder("serving") / "models" / MODEL_NAME
    for version in sorted(shipped.glob("[0-9]*"), key=lambda path: int(path.name)):
        call_command("publish_model", str(version), if_newer=True, by="set-up")
    call_command("collectstatic", interactive=False, verbosity=0)


if __name__ == "__main__":
    try:
        main()
    except (CommandError, EnvError, ImproperlyConfigured, OperationalError, OSError) as error:
        sys.exit(str(error))
