"""The files of a form, as ``curl -F`` and pages send them (multipart/form-data).

A body was read whole and is bounded, so that it is taken apart at once.

Source:
    RFC 7578 (the form), RFC 2046 section 5.1 (the boundaries).
"""

from email.message import Message
from email.parser import HeaderParser
from typing import Final

from imageloom.errors import InvalidRequestError
from imageloom.serving.preparing import SentFile

_MOST_PARTS: Final = 1_000
_MOST_HEADER_BYTES: Final = 8 * 1024


def files_of(content_type: str, body: bytes) -> list[SentFile]:
    """Return the files of a form in its order; fields without a file name are passed over.

    Args:
        content_type: The header, with the boundary.
        body: The whole body.

    Raises:
        InvalidRequestError: It is no such form, or holds no file.
    """
    boundary = _header(f"Content-Type: {content_type}").get_boundary()
    if not boundary or len(boundary) > 70 or not boundary.isascii():
        raise _malformed("names no boundary")
    # What stands before the first and behind the last delimiter is no part.
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("ascii"), _MOST_PARTS + 1)
    if len(parts) > _MOST_PARTS + 1:
        raise _malformed(f"has more than {_MOST_PARTS:,} parts")
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise _malformed("has no end: its last boundary is missing")
    files = [file for part in parts[1:-1] if (file := _file_of(part)) is not None]
    if not files:
        raise _malformed("holds no file")
    return files


def _file_of(part: bytes) -> SentFile | None:
    head, separator, content = part.lstrip(b" \t").partition(b"\r\n\r\n")
    if not separator or len(head) > _MOST_HEADER_BYTES:
        raise _malformed("has a part without an end to its headers")
    name = _header(head.decode("utf-8", "replace").strip()).get_filename()
    return None if name is None else SentFile(content, name or "the picture")


def _header(text: str) -> Message:
    return HeaderParser().parsestr(text)


def _malformed(what: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"The form {what}.",
        hint="Send pictures as files: curl -F image=@photo.jpg ADDRESS/predict",
        reason="malformed",
    )
