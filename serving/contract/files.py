"""Which files may be pictures that the model is shown: by their first bytes, and by their names.

Browsers get both from here as well, by way of the page.
"""

import re

SUFFIXES = frozenset({".bmp", ".btf", ".dib", ".jfif", ".jif", ".jls", ".jpe", ".jpeg", ".jpg", ".png",
                      ".tif", ".tiff", ".webp"})  # fmt: skip
"""Names that pictures have. All that knows any, browsers and training included, knows them from here."""

OTHER_SUFFIXES = frozenset({".csv", ".db", ".doc", ".docx", ".gif", ".htm", ".html", ".ini", ".json", ".pdf",
                            ".ppt", ".pptx", ".rtf", ".txt", ".xls", ".xlsx", ".xml", ".zip"})  # fmt: skip
"""Names that no picture has which can be taken. A name in neither list says nothing."""

HEAD = 16  # bytes that tell
OPENINGS = (
    "ffd8ff",  # JPEG
    "89504e470d0a1a0a",  # PNG
    "49492a00",  # TIFF, and BigTIFF, in either order of bytes
    "4d4d002a",
    "49492b00",
    "4d4d002b",
    "424d........00000000",  # BMP: what follows the size is reserved
    "52494646........57454250",  # WebP
)
"""The first bytes in hexadecimal digits, as regular expressions."""

_OPENINGS = re.compile("|".join(OPENINGS))


def opens_like_a_picture(head: bytes) -> bool:
    """Whether a file that begins with `head` (`HEAD` bytes, or all it has) may be a picture we can take."""
    return _OPENINGS.match(head[:HEAD].hex()) is not None
