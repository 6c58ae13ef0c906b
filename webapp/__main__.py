"""Django's management commands: `python -m webapp migrate`."""

import sys

from django.core.management import execute_from_command_line

from webapp.audit.context import Actor, acting, operator
from webapp.config.environment import set_up

set_up()
with acting(Actor(None, f"{operator()} at the command line")):
    execute_from_command_line(["python -m webapp", *sys.argv[1:]])
