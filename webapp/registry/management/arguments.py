"""What the commands about models have in common."""

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from webapp.audit.context import operator


def add_by(parser: CommandParser) -> None:
    parser.add_argument("--by", default=operator(), help=_("who does it (default: %(default)s)"))
