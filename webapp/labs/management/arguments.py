"""What commands about a lab have in common."""

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from webapp.labs.models import Lab
from webapp.labs.selectors import lab_called


def add_lab(parser: CommandParser, purpose: str) -> None:
    parser.add_argument("--lab", metavar="LAB", help=purpose)


def lab_of(text: str | None) -> Lab | None:
    """The lab named on the command line.

    Raises:
        CommandError: there is none of that name or id.
    """
    if text is None:
        return None
    lab = lab_called(text)
    if lab is None:
        names = ", ".join(sorted(Lab.objects.values_list("name", flat=True))) or _("none yet")
        raise CommandError(
            _("There is no lab %(lab)r. There are: %(names)s.") % {"lab": text, "names": names},
            returncode=2,
        )
    return lab
