"""How the product writes: sentence case, "e-mail", and times in words."""

import re

from django.conf import settings

PRODUCT = "HematoVision"

# A word with a capital inside is a name or an abbreviation: LinkedIn, QR, HematoVision.
_PLAIN = re.compile(r"[A-Z][a-z'’]*$")
_OURS = {"email": "e-mail", "Email": "E-mail", "signup": "sign up"}


def house_style(text: str) -> str:
    """Allauth's own words ("Change Email", "Sign In") as the rest of the product would say them."""
    first, *others = re.split(r"([ -])", text)  # "Two-Factor" is two words here
    return "".join(_OURS.get(word, word) for word in [first, *map(_lowered, others)])


def minutes(seconds: int) -> str:
    """`seconds` as people are told them: “1 minute”, “15 minutes”; what is begun counts as whole."""
    whole = -(-seconds // 60)
    return f"{whole} minute{'s' * (whole != 1)}"


def too_many(what: str) -> str:
    """What those are told who failed to sign in too often."""
    return f"Too many {what}. Wait {minutes(settings.LOGIN_FAILED_SECONDS)}, then try again."


def _lowered(word: str) -> str:
    return word.lower() if _PLAIN.match(word) and word != "I" else word
