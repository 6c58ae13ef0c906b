"""Unicode as keyboards, barcode readers, word processors and other systems hand it over.

Characters are named after the Unicode Character Database; categories (`Zs`, `Cf`, …) are its own.
"""

import re
import unicodedata

from django.utils.translation import gettext as _

# Joiners spell words in Persian and Sinhala; elsewhere they hide (UAX #31, 2.3).
JOINERS = "\u200c\u200d"
# Format characters (Cf) that are seen: signs that stand under or over Arabic and Kaithi numbers.
SEEN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
# Letters, marks and signs to Unicode, and nothing to the eye: fillers, and the blank of Braille.
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# They choose how a letter of these scripts is written, in Japanese names for one; elsewhere they hide.
_SELECTORS = frozenset(
    map(chr, (*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
_SELECTED = ("CJK ", "MONGOLIAN ", "MYANMAR ", "PHAGS-PA ")
# What Word puts into what is copied from it: the end of a cell, hyphens that do not or need not break, and
# signs of the fonts Symbol and Wingdings, of which it makes bullets and arrows.
_PASTED = str.maketrans(
    {"\x07": "\t", "\x1e": "-", "\x1f": "",
     "\uf0b7": "•", "\uf0a7": "▪", "\uf0d8": "➢", "\uf0e0": "→", "\uf0fc": "✓"}
)  # fmt: skip
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SYMBOLOGY = re.compile(r"^\][A-Za-z][0-9A-Za-z]")
_AROUND_BARCODES = "".join(map(chr, (*range(0x21), 0x7F, *range(0x80, 0xA1))))
_FULL_WIDTH = {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)}


def one_line(text: str) -> str:
    """A name, in one line: composed (NFC), with single plain spaces, without what nobody sees.

    Line ends, tabs and every space (no-break, ideographic) become a space. Soft hyphens, marks of direction
    and other format characters go, and so do blank letters, but for joiners and selectors with their letters.
    What is left of control characters is for `unseen` to find.
    """
    return " ".join(_without_formats(unicodedata.normalize("NFC", text.translate(_PASTED))).split())


def lines(text: str) -> str:
    """A note, in lines that end with U+000A, otherwise as `one_line`; tabs and wide spaces stay."""
    even = _LINE_ENDS.sub("\n", unicodedata.normalize("NFC", text.translate(_PASTED)))
    even = re.sub("[\u00a0\u202f]", " ", _without_formats(even))
    return "\n".join(line.rstrip() for line in even.split("\n")).strip("\n")


def half_width(text: str) -> str:
    """Letters, digits and signs of East Asian full width as those of ASCII."""
    return text.translate(_FULL_WIDTH)


def scanned(text: str) -> str:
    """What a barcode says, without what its reader puts around it: control characters (STX, ETX, GS, line
    ends) and the symbology identifier of ISO/IEC 15424, as in `]C1A-17`."""
    return _SYMBOLOGY.sub("", text.strip(_AROUND_BARCODES)).strip(_AROUND_BARCODES)


def unseen(text: str, *, allowed: str = "") -> str | None:
    """The first character that shows nothing or means nothing to us, and where it is; None: there is none.

    It is told without its neighbours, which may be of a patient's name.

    Control characters, halves of surrogate pairs, private and unassigned ones, but for those `allowed`.
    """
    for place, letter in enumerate(text):
        kind = unicodedata.category(letter)
        if letter in allowed or letter in SEEN or kind[0] not in "CZ" or letter == " " or kind == "Zs":
            continue
        if letter in JOINERS and _joins(text, place):
            continue
        said = (
            _("%(code)s (a control character), which is number %(place)s of its characters")
            if kind == "Cc"
            else _("%(code)s (of no meaning in Unicode), which is number %(place)s of its characters")
        )
        return said % {"code": f"U+{ord(letter):04X}", "place": place + 1}
    return None


def shown(text: str) -> str:
    """A name from elsewhere, which nobody can be asked to correct: `one_line`, without what is `unseen`."""
    even = one_line(text)
    return one_line("".join(letter if unseen(letter, allowed=JOINERS) is None else " " for letter in even))


def _without_formats(text: str) -> str:
    """Without what shows nothing, but for joiners between letters and selectors behind theirs."""
    bare = "".join(
        letter
        for letter in text
        if letter not in BLANK
        and (unicodedata.category(letter) != "Cf" or letter in JOINERS or letter in SEEN)
    )
    return "".join(
        letter
        for place, letter in enumerate(bare)
        if (letter not in JOINERS or _joins(bare, place))
        and (letter not in _SELECTORS or _selects(bare, place))
    )


def _selects(text: str, place: int) -> bool:
    """Whether the selector there stands behind a letter that has several ways to be written."""
    return unicodedata.name(text[place - 1 : place] or "\0", "").startswith(_SELECTED)


def _joins(text: str, place: int) -> bool:
    """Whether the joiner there stands between letters, or marks of letters, or after a virama."""
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    if not before or unicodedata.category(before)[0] not in "LM":
        return False
    virama = unicodedata.combining(before) == 9
    return virama or (after != "" and unicodedata.category(after)[0] in "LM")
