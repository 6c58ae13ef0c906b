"""The command line in the language of whoever types: gettext over the catalogues of the web, without Django.

The language is that of LANGUAGE, LC_ALL, LC_MESSAGES or LANG, as gettext has it; English where there is
none of these.
"""

import gettext
from pathlib import Path

CATALOGUES = Path(__file__).parents[2] / "webapp" / "locale"

_translations = gettext.translation("django", CATALOGUES, fallback=True)

_ = _translations.gettext
ngettext = _translations.ngettext
