"""Words of ours that stand in entries, in English, as all entries keep them, and how a reader gets them.

An entry is never changed, so what it says of itself cannot follow a lab's language. Most of it is data:
names, accessions, codes. What is words is marked where it is written, and found again by its text when it is
read.
"""

import re
from functools import cache

from django.utils.translation import gettext, ngettext

from serving.contract.sentence import N_

NOT_SIGNED_IN = N_("Somebody who has not signed in")
INVALID_TOKEN = N_("access with an invalid API token")
NOT_THERE = {
    "case": N_("a case that is not there or another lab’s"),
    "image": N_("an image that is not there or another lab’s"),
    "cell": N_("a cell that is not there or another lab’s"),
    "call": N_("a call that is not there or another lab’s"),
    "reading": N_("a reading that is not there or another lab’s"),
}
TOKEN_OF = N_("%(token)s of %(owner)s")
MODEL_VERSION = N_("%(model)s, version %(number)s")
OWN_MODEL_VERSION = N_("%(lab)s’s own, version %(number)s")
PERMISSION = N_("“%(permission)s”")
# Of a release before this one.
_FORMER = (N_("a image that is not there or another lab’s"),)
# Kinds of readings, as `READING_OPENED` names them.
_READINGS = (N_("first"), N_("second"), N_("teaching"))
# Meanings of signatures, as `RESULT_SIGNED` names them.
_MEANINGS = (N_("reviewed"), N_("authorised"))
# How many people sign, as `LAB_SIGNATURES_SET` names it.
_SIGNATURES = (N_("one"), N_("two"))
# What came of calls, as `CALL_LOGGED` names it.
_OUTCOMES = (N_("told, and read back"), N_("told, not read back"), N_("not reached"))
# What has places for data; the first that fits counts.
_PATTERNS = (PERMISSION, OWN_MODEL_VERSION, MODEL_VERSION, TOKEN_OF)


def word(kept: str) -> str:
    """Words of ours in the reader's language; whatever is none comes back as it is."""
    if not kept:
        return ""
    if (said := gettext(kept)) != kept:
        return said
    for pattern in _PATTERNS:
        if found := _matcher(pattern).fullmatch(kept):
            values = found.groupdict()
            if "permission" in values:
                values["permission"] = gettext(values["permission"])
            return gettext(pattern) % values
    return kept


def words(kept: str) -> str:
    """Several, with commas between."""
    return ", ".join(map(word, kept.split(", ")))


def count_of_cases(n: int) -> str:
    return ngettext("%(n)s case", "%(n)s cases", n) % {"n": n}


@cache
def _matcher(pattern: str) -> re.Pattern[str]:
    """What fits an English text with places."""
    parts = re.split(r"%\((\w+)\)s", pattern)
    texts = [f"(?P<{part}>.+)" if place % 2 else re.escape(part) for place, part in enumerate(parts)]
    return re.compile("".join(texts), re.DOTALL)
