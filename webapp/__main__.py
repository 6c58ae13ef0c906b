"""Django's management commands: `python -m webapp migrate`."""

import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError

from webapp.audit.context import Actor, acting, operator
from webapp.config.environment import set_up

INSUFFICIENT_PRIVILEGE = "42501"  # as PostgreSQL numbers it

set_up(sys.argv[1] if len(sys.argv) > 1 else "help")

from webapp.storage.objects import StorageUnavailable  # noqa: E402 - it reads the settings

try:
    with acting(Actor(None, f"{operator()} at the command line")):
        execute_from_command_line(["python -m webapp", *sys.argv[1:]])
except ProgrammingError as error:
    if getattr(error.__cause__, "sqlstate", "") != INSUFFICIENT_PRIVILEGE:
        raise
    sys.exit(f"The product's role in the database may not do this: {error}")
except OperationalError as error:
    sys.exit(f"The database does not answer: {error}")
except StorageUnavailable as error:
    sys.exit(f"The object store does not answer: {error}")
except KeyboardInterrupt:
    sys.exit(130)
