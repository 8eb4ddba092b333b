"""Names in archives that do not say how they are encoded: read as asked for, or guessed."""

from pathlib import Path
from typing import Final

from imageloom.data.params import NameEncoding
from imageloom.data.sources.archive.member import refused

# What is asked for by the name of a standard is read as the superset that programs wrote.
_CODECS: Final[dict[NameEncoding, str]] = {
    "utf_8": "utf-8",
    "shift_jis": "cp932",
    "euc_jp": "euc_jis_2004",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "cp437": "cp437",
    "cp850": "cp850",
    "cp852": "cp852",
    "cp866": "cp866",
    "cp874": "cp874",
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "cp1252": "cp1252",
    "cp1253": "cp1253",
    "cp1254": "cp1254",
    "cp1255": "cp1255",
    "cp1256": "cp1256",
    "koi8_r": "koi8-r",
}


def is_utf_8(raw: bytes) -> bool:
    """Whether bytes are text in UTF-8, as by chance few others are."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def as_utf_8(raw: bytes, encoding: NameEncoding, archive: Path) -> bytes:
    """Return a name in UTF-8.

    Args:
        raw: As it stands in the archive.
        encoding: What it is in.
        archive: For the message.

    Raises:
        InvalidDatasetError: It cannot be in that encoding.
    """
    try:
        return raw.decode(_CODECS[encoding]).encode("utf-8")
    except UnicodeDecodeError as problem:
        raise refused(
            archive,
            f"holds the name {raw[:200]!r}, which is not in the encoding {encoding}",
            "name-encoding",
            "Give another one with --name-encoding, or leave that out to let it be guessed.",
        ) from problem
