"""What a file is by its content; names and suffixes are never asked."""

import re
from collections.abc import Callable

from serving.decoder.refused import FileRefused, Reason

JPEG, PNG, TIFF, BMP, WEBP = "image/jpeg", "image/png", "image/tiff", "image/bmp", "image/webp"

_EXPORT = "Export the picture itself as TIFF, PNG or JPEG."
_SAVE = "Save it as TIFF, PNG or JPEG."
_REGION = "Export each cell's region as TIFF, PNG or JPEG."
_RAW = "Develop it to TIFF or JPEG in the camera's software."

_TAKEN = {
    b"\xff\xd8\xff": JPEG,
    b"\x89PNG\r\n\x1a\n": PNG,
    b"II*\0": TIFF,
    b"MM\0*": TIFF,
    b"II+\0": TIFF,
    b"MM\0+": TIFF,
    b"BM": BMP,
}

# (where, what stands there, what the file is, what to do); the first that fits counts.
_OTHERS: list[tuple[int, bytes, str, str]] = [
    (8, b"CR\x02\0", "a camera's raw file", _RAW),
    (128, b"DICM", "a DICOM file", _EXPORT),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 image", _SAVE),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image", _SAVE),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL image", _SAVE),
    (0, b"\xff\x0a", "a JPEG XL image", _SAVE),
    (0, b"II\xbc", "a JPEG XR image", _SAVE),
    (4, b"ftypavi", "an AVIF image", _SAVE),
    (4, b"ftypcrx", "a camera's raw file", _RAW),
    (4, b"ftyphe", "a HEIC image", "Save it as JPEG, or set the phone to “Most compatible”."),
    (4, b"ftypmif1", "a HEIC image", "Save it as JPEG, or set the phone to “Most compatible”."),
    (4, b"ftypmsf1", "a HEIC image", "Save it as JPEG, or set the phone to “Most compatible”."),
    (4, b"ftyp", "a video", "Take a still picture of each cell."),
    (8, b"AVI ", "a video", "Take a still picture of each cell."),
    (0, b"\x1aE\xdf\xa3", "a video", "Take a still picture of each cell."),
    (8, b"WAVE", "a sound file", ""),
    (0, b"GIF8", "a GIF, which keeps 256 colours at most", "Take the original again as TIFF, PNG or JPEG."),
    (0, b"%PDF", "a PDF document", _EXPORT),
    (0, b"8BPS", "a Photoshop file", _SAVE),
    (0, b"gimp xcf", "a GIMP file", _SAVE),
    (0, b"ZISRAWFILE", "a Zeiss CZI file", _REGION),
    (0, b"\xda\xce\xbe\x0a", "a Nikon ND2 file", _EXPORT),
    (0, b"\x70\0\0\0", "a Leica LIF file", _EXPORT),
    (0, b"\x89HDF", "an HDF5 or Imaris file", _EXPORT),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office or Olympus document", _EXPORT),
    (0, b"PK\x03\x04", "a ZIP archive or an Office document", "Unpack it, and upload the pictures in it."),
    (0, b"PK\x05\x06", "an empty ZIP archive", ""),
    (0, b"\x1f\x8b", "a gzip archive", "Unpack it, and upload the pictures in it."),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it, and upload the pictures in it."),
    (0, b"Rar!", "a RAR archive", "Unpack it, and upload the pictures in it."),
    (257, b"ustar", "a tar archive", "Unpack it, and upload the pictures in it."),
    (0, b"FUJIFILMCCD-RAW", "a camera's raw file", _RAW),
    (0, b"IIRO", "a camera's raw file", _RAW),
    (0, b"IIRS", "a camera's raw file", _RAW),
    (0, b"MMOR", "a camera's raw file", _RAW),
    (0, b"IIU\0", "a camera's raw file", _RAW),
    (0, b"FOVb", "a camera's raw file", _RAW),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR image", _SAVE),
    (0, b"SIMPLE  =", "a FITS image", _SAVE),
    (0, b"\0\0\x01\0", "an icon", _SAVE),
    (0, b"\x01\xda", "an SGI image", _SAVE),
    (0, b"qoif", "a QOI image", _SAVE),
]
_NETPBM = re.compile(rb"P[1-7][\s#]")
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|!doctype|!--|svg|html)", re.IGNORECASE)
_SVG = re.compile(rb"<svg[\s>]", re.IGNORECASE)


def kind_of(data: bytes) -> str:
    """The media type of a file that may be taken.

    Raises:
        FileRefused: it is of another kind, which is named where it is known.
    """
    for where, mark, what, then in _OTHERS:
        if data.startswith(mark, where):
            raise _other(what, then)
    for mark, kind in _TAKEN.items():
        if data.startswith(mark):
            return kind
    if data.startswith(b"RIFF") and (data.startswith(b"WEBP", 8) or len(data) < 12):
        return WEBP
    if _NETPBM.match(data):
        raise _other("a PNM image", _SAVE)
    if _MARKUP.match(data):
        if _SVG.search(data, 0, 4096):
            raise _other("an SVG drawing", "Upload the picture that the microscope's camera took.")
        raise _other("a web page or XML", "Upload the picture itself.")
    if _is(data[:1024], bytes.isascii) and b"\0" not in data[:1024]:
        raise FileRefused(Reason.NOT_AN_IMAGE, "This is text, not an image. Upload the picture itself.")
    raise FileRefused(Reason.NOT_AN_IMAGE)


def known(media_type: str) -> str:
    """
    Raises:
        ValueError: it is none of those that are taken.
    """
    if media_type not in {*_TAKEN.values(), WEBP}:
        raise ValueError(media_type)
    return media_type


def _is(data: bytes, test: Callable[[bytes], bool]) -> bool:
    return bool(data) and test(data)


def _other(what: str, then: str) -> FileRefused:
    return FileRefused(
        Reason.UNSUPPORTED_TYPE,
        f"This is {what}. Only JPEG, PNG, TIFF, BMP and WebP images are taken. {then}".rstrip(),
    )
