"""What a file is by its content; names and suffixes are never asked."""

import re
from collections.abc import Callable

from serving.contract.sentence import N_, Sentence
from serving.decoder.refused import FileRefused, Reason

JPEG, PNG, TIFF, BMP, WEBP = "image/jpeg", "image/png", "image/tiff", "image/bmp", "image/webp"

_EXPORT = N_("Export the picture itself as TIFF, PNG or JPEG.")
_SAVE = N_("Save it as TIFF, PNG or JPEG.")
_REGION = N_("Export each cell's region as TIFF, PNG or JPEG.")
_RAW = N_("Develop it to TIFF or JPEG in the camera's software.")
_PHONE = N_("Save it as JPEG, or set the phone to “Most compatible”.")
_STILL = N_("Take a still picture of each cell.")
_UNPACK = N_("Unpack it, and upload the pictures in it.")

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
    (8, b"CR\x02\0", N_("a camera's raw file"), _RAW),
    (128, b"DICM", N_("a DICOM file"), _EXPORT),
    (0, b"\0\0\0\x0cjP  ", N_("a JPEG 2000 image"), _SAVE),
    (0, b"\xff\x4f\xff\x51", N_("a JPEG 2000 image"), _SAVE),
    (0, b"\0\0\0\x0cJXL ", N_("a JPEG XL image"), _SAVE),
    (0, b"\xff\x0a", N_("a JPEG XL image"), _SAVE),
    (0, b"II\xbc", N_("a JPEG XR image"), _SAVE),
    (4, b"ftypavi", N_("an AVIF image"), _SAVE),
    (4, b"ftypcrx", N_("a camera's raw file"), _RAW),
    (4, b"ftyphe", N_("a HEIC image"), _PHONE),
    (4, b"ftypmif1", N_("a HEIC image"), _PHONE),
    (4, b"ftypmsf1", N_("a HEIC image"), _PHONE),
    (4, b"ftyp", N_("a video"), _STILL),
    (8, b"AVI ", N_("a video"), _STILL),
    (0, b"\x1aE\xdf\xa3", N_("a video"), _STILL),
    (8, b"WAVE", N_("a sound file"), ""),
    (
        0,
        b"GIF8",
        N_("a GIF, which keeps 256 colours at most"),
        N_("Take the original again as TIFF, PNG or JPEG."),
    ),
    (0, b"%PDF", N_("a PDF document"), _EXPORT),
    (0, b"8BPS", N_("a Photoshop file"), _SAVE),
    (0, b"gimp xcf", N_("a GIMP file"), _SAVE),
    (0, b"ZISRAWFILE", N_("a Zeiss CZI file"), _REGION),
    (0, b"\xda\xce\xbe\x0a", N_("a Nikon ND2 file"), _EXPORT),
    (0, b"\x70\0\0\0", N_("a Leica LIF file"), _EXPORT),
    (0, b"\x89HDF", N_("an HDF5 or Imaris file"), _EXPORT),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", N_("an Office or Olympus document"), _EXPORT),
    (0, b"PK\x03\x04", N_("a ZIP archive or an Office document"), _UNPACK),
    (0, b"PK\x05\x06", N_("an empty ZIP archive"), ""),
    (0, b"\x1f\x8b", N_("a gzip archive"), _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", N_("a 7-Zip archive"), _UNPACK),
    (0, b"Rar!", N_("a RAR archive"), _UNPACK),
    (257, b"ustar", N_("a tar archive"), _UNPACK),
    (0, b"FUJIFILMCCD-RAW", N_("a camera's raw file"), _RAW),
    (0, b"IIRO", N_("a camera's raw file"), _RAW),
    (0, b"IIRS", N_("a camera's raw file"), _RAW),
    (0, b"MMOR", N_("a camera's raw file"), _RAW),
    (0, b"IIU\0", N_("a camera's raw file"), _RAW),
    (0, b"FOVb", N_("a camera's raw file"), _RAW),
    (0, b"\x76\x2f\x31\x01", N_("an OpenEXR image"), _SAVE),
    (0, b"SIMPLE  =", N_("a FITS image"), _SAVE),
    (0, b"\0\0\x01\0", N_("an icon"), _SAVE),
    (0, b"\x01\xda", N_("an SGI image"), _SAVE),
    (0, b"qoif", N_("a QOI image"), _SAVE),
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
        raise _other(N_("a PNM image"), _SAVE)
    if _MARKUP.match(data):
        if _SVG.search(data, 0, 4096):
            raise _other(N_("an SVG drawing"), N_("Upload the picture that the microscope's camera took."))
        raise _other(N_("a web page or XML"), N_("Upload the picture itself."))
    if _is(data[:1024], bytes.isascii) and b"\0" not in data[:1024]:
        text = N_("This is text, not an image. Upload the picture itself.")
        raise FileRefused(Reason.NOT_AN_IMAGE, Sentence(text))
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
    """Both are marked texts; of some files nobody can say what to do."""
    text = N_("This is %(what)s. Only JPEG, PNG, TIFF, BMP and WebP images are taken.")
    values = {"what": Sentence(what)}
    if then:
        text = N_("This is %(what)s. Only JPEG, PNG, TIFF, BMP and WebP images are taken. %(then)s")
        values["then"] = Sentence(then)
    return FileRefused(Reason.UNSUPPORTED_TYPE, Sentence(text, values))
