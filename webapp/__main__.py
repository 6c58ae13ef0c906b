"""Django's management commands: `python -m webapp migrate`."""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError
from django.utils.translation import gettext as _

from webapp.audit.context import Actor, acting, operator
from webapp.config.environment import set_up

INSUFFICIENT_PRIVILEGE = "42501"  # as PostgreSQL numbers it

set_up(sys.argv[1] if len(sys.argv) > 1 else "help")

from webapp.language.environment import activate  # noqa: E402 - they read the settings
from webapp.storage.objects import StorageUnavailable  # noqa: E402

activate(os.environ)

try:
    # untranslated: who acts, as it stays on record
    with acting(Actor(None, f"{operator()} at the command line")):
        execute_from_command_line(["python -m webapp", *sys.argv[1:]])  # untranslated: a command
except ProgrammingError as error:
    if getattr(error.__cause__, "sqlstate", "") != INSUFFICIENT_PRIVILEGE:
        raise
    sys.exit(_("The product's role in the database may not do this: %(error)s") % {"error": error})
except OperationalError as error:
    sys.exit(_("The database does not answer: %(error)s") % {"error": error})
except StorageUnavailable as error:
    sys.exit(_("The object store does not answer: %(error)s") % {"error": error})
except KeyboardInterrupt:
    sys.exit(130)
