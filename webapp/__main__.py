"""Django's management commands: `python -m webapp migrate`."""

import os
import sys

from django.core.management import execute_from_command_line

from webapp.audit.context import Actor, acting, operator

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.config.settings")
with acting(Actor(None, f"{operator()} at the command line")):
    execute_from_command_line(["python -m webapp", *sys.argv[1:]])
