"""Names for files that are not pictures we accept, so that a person knows what to do about them."""

from typing import Final, NamedTuple

ACCEPTED: Final = "JPEG, PNG, BMP, PPM, TIFF or WebP"


class Foreign(NamedTuple):
    """What a file is, as the rest of a sentence that begins with the file's name.

    Attributes:
        reason: ``is a GIF picture, a format that is not accepted``.
        hint: What to do.
    """

    reason: str
    hint: str


_PICTURE_STARTS: Final = (
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\x01\0", "ICO"),
    (b"8BPS", "PSD"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"BPG\xfb", "BPG"),
    (b"SIMPLE  =", "FITS"),
    (b"\x0a\x05\x01", "PCX"),
    (b"\xd7\xcd\xc6\x9a", "WMF"),
    (b"%!PS", "EPS"),
    (b"gimp xcf", "XCF"),
    (b"IIU\0", "camera raw"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
)
_OTHER_STARTS: Final = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\x1a\x45\xdf\xa3", "a video"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file"),
)
# ISO base media files tell their kind by the brand at byte 8.
_BRANDS: Final = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"hevc": "HEIC",
    b"mif1": "HEIC",
    b"msf1": "HEIC",
    b"jxl ": "JPEG XL",
}
_OWN_STARTS: Final = (
    (b"\xff\xd8", "JPEG"),
    (b"\x89PNG", "PNG"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"RIFF", "WebP"),
)


def describe_foreign(content: bytes) -> Foreign:
    """Return what a file is that no accepted decoder recognises."""
    start = content[:512]
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not content:
        return Foreign("is empty", "Restore the file: it has 0 bytes.")
    if start.startswith(b"version https://git-lfs.github.com/spec/"):
        return Foreign(
            "is a Git LFS pointer, not the picture itself",
            "Fetch the pictures with 'git lfs pull', then convert again.",
        )
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return Foreign(
            "is an HTML page", "It was probably saved instead of the picture: download it again."
        )
    if text.startswith(b"<svg") or (text.startswith(b"<?xml") and b"<svg" in text):
        return _not_accepted("SVG")
    picture = _picture_name(content)
    if picture:
        return _not_accepted(picture)
    return _not_a_picture(content)


def _not_accepted(name: str) -> Foreign:
    return Foreign(
        f"is a picture of the format {name}, which is not accepted",
        f"Save it as {ACCEPTED}.",
    )


def _picture_name(content: bytes) -> str:
    for start, name in _PICTURE_STARTS:
        if content.startswith(start):
            return name
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], "")
    if content[-18:-2] == b"TRUEVISION-XFILE" or _looks_like_tga(content[:18]):
        return "TGA"
    return ""


def _looks_like_tga(header: bytes) -> bool:
    # TGA files of version 1 have no mark; these header fields allow few values.
    return (
        len(header) == 18
        and header[1] in (0, 1)
        and header[2] in (1, 2, 3, 9, 10, 11)
        and header[16] in (8, 15, 16, 24, 32)
        and header[12:14] != b"\0\0"
        and header[14:16] != b"\0\0"
        and header[17] & 0xC0 == 0
    )


def _not_a_picture(content: bytes) -> Foreign:
    hint = f"Remove it, or replace it by a {ACCEPTED} file."
    for start, name in _OTHER_STARTS:
        if content.startswith(start):
            return Foreign(f"is {name}, not a picture", hint)
    if content[4:8] == b"ftyp":
        return Foreign("is a video, not a picture", hint)
    for start, name in _OWN_STARTS:
        if content.startswith(start):
            return Foreign(
                f"begins as a {name} file but is damaged or of a kind that cannot be read",
                "Restore the file from its source, or save it again as an 8-bit picture.",
            )
    if b"\0" not in content[:4096] and _is_text(content[:4096]):
        return Foreign("is a text file, not a picture", hint)
    return Foreign("is not a picture of a known format", hint)


def _is_text(start: bytes) -> bool:
    try:
        start[:-4].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return len(start) > 8
