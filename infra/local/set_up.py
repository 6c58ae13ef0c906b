"""Bring the database, the object store and the model registry to where our programs expect them.

`python -m infra.local.set_up`, with the stack's environment; safe to repeat. One process for several Django
commands, because starting Django is most of what each of them costs.
"""

import os
from pathlib import Path

import django
from django.core.management import call_command

from infra.local.settings import home_from_environment


def main(home: Path) -> None:
    """Run the commands, in the order in which they need each other."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.config.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("prepare_storage")
    for version in sorted((home / "models").glob("*/[0-9]*")):
        call_command("register_model", str(version))
    call_command("collectstatic", interactive=False, verbosity=0)


if __name__ == "__main__":
    main(home_from_environment())
