"""How the product writes: sentence case, "e-mail", and times in words."""

import re

from django.conf import settings
from django.utils.translation import get_language, ngettext

PRODUCT = "HematoVision"

# A word with a capital inside is a name or an abbreviation: LinkedIn, QR, HematoVision.
_PLAIN = re.compile(r"[A-Z][a-z'’]*$")
# untranslated: of English alone
_OURS = {"email": "e-mail", "Email": "E-mail", "signup": "sign up"}


def house_style(text: str) -> str:
    """Allauth's own words ("Change Email", "Sign In") as the rest of the product would say them.

    Its translations are left as they are: other languages write their capitals otherwise.
    """
    if not (get_language() or "en").startswith("en"):
        return text
    first, *others = re.split(r"([ -])", text)  # "Two-Factor" is two words here
    return "".join(_OURS.get(word, word) for word in [first, *map(_lowered, others)])


def minutes(seconds: int) -> int:
    """`seconds` as people are told them; a minute begun counts as whole."""
    return -(-seconds // 60)


def too_many_attempts() -> str:
    """What those are told who failed to sign in too often."""
    wait = minutes(settings.LOGIN_FAILED_SECONDS)
    return ngettext(
        "Too many attempts to sign in. Wait %(n)s minute, then try again.",
        "Too many attempts to sign in. Wait %(n)s minutes, then try again.",
        wait,
    ) % {"n": wait}


def too_many_codes() -> str:
    """What those are told who gave a wrong second factor too often."""
    wait = minutes(settings.LOGIN_FAILED_SECONDS)
    return ngettext(
        "Too many wrong codes. Wait %(n)s minute, then try again.",
        "Too many wrong codes. Wait %(n)s minutes, then try again.",
        wait,
    ) % {"n": wait}


def _lowered(word: str) -> str:
    return word.lower() if _PLAIN.match(word) and word != "I" else word
