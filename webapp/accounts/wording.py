"""How the product writes: sentence case, and "e-mail"."""

import re

PRODUCT = "HematoVision"

# A word with a capital inside is a name or an abbreviation: LinkedIn, QR, HematoVision.
_PLAIN = re.compile(r"[A-Z][a-z'’]*$")
_OURS = {"email": "e-mail", "Email": "E-mail", "signup": "sign up"}


def house_style(text: str) -> str:
    """Allauth's own words ("Change Email", "Sign In") as the rest of the product would say them."""
    first, *others = re.split(r"([ -])", text)  # "Two-Factor" is two words here
    return "".join(_OURS.get(word, word) for word in [first, *map(_lowered, others)])


def _lowered(word: str) -> str:
    return word.lower() if _PLAIN.match(word) and word != "I" else word
