"""What a file's or folder's name tells: system files, documents, and the format it promises."""

import os
from typing import Final

LIST_SUFFIX: Final = ".txt"  # lists of other programs, in which blanks may separate values
JSON_LINES_SUFFIXES: Final = (".jsonl", ".ndjson")
TABLE_SUFFIXES: Final = (".csv", ".tsv", LIST_SUFFIX, *JSON_LINES_SUFFIXES)
XML_SUFFIX: Final = ".xml"  # of CVAT
MANIFEST_SUFFIXES: Final = (*TABLE_SUFFIXES, ".json", XML_SUFFIX)
SHARD_SUFFIX: Final = ".tar"  # of WebDataset
CLASS_NAMES: Final = "classnames.txt"  # beside such shards
ADDRESS_OF_COPY: Final = "address.txt"  # beside the files of a copy, what it is a copy of
# Written by desktops, archivers, editors and storage boxes, never by a photographer.
_SYSTEM_NAMES: Final = frozenset(
    (
        b"thumbs.db",
        b"ehthumbs.db",
        b"desktop.ini",
        b"icon\r",
        b"__macosx",
        b"$recycle.bin",
        b"system volume information",
        b"lost+found",
        b"@eadir",
        b"__pycache__",
    )
)
# What datasets carry beside their pictures. A name that is not here is tried as a picture, so that
# a picture with an odd name is never passed over by its name alone.
_DOCUMENT_SUFFIXES: Final = frozenset(
    (
        *("txt", "md", "rst", "log", "csv", "tsv", "json", "jsonl", "xml", "yaml", "yml", "toml"),
        *("html", "htm", "css", "js", "pdf", "doc", "docx", "xls", "xlsx", "odt", "rtf", "lst"),
        *("py", "ipynb", "sh", "m", "c", "cpp", "h", "java", "names", "cfg", "ini", "url"),
        *("mat", "npy", "npz", "h5", "hdf5", "pkl", "pickle", "pt", "pth", "safetensors", "onnx"),
        *("parquet", "arrow", "feather", "sqlite", "db", "lmdb", "tfrecord", "rec", "idx"),
        *("zip", "tar", "gz", "tgz", "bz2", "xz", "7z", "rar", "zst"),
        *("mp4", "avi", "mov", "mkv", "webm", "mp3", "wav", "md5", "sha1", "sha256", "sig"),
    )
)
_DOCUMENT_NAMES: Final = frozenset(
    (b"readme", b"license", b"licence", b"copying", b"changelog", b"citation", b"makefile")
)
FORMAT_OF_SUFFIX: Final = {
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "jpe": "JPEG",
    "jfif": "JPEG",
    "png": "PNG",
    "bmp": "BMP",
    "dib": "BMP",
    "ppm": "PPM",
    "pgm": "PPM",
    "pbm": "PPM",
    "pnm": "PPM",
    "tif": "TIFF",
    "tiff": "TIFF",
    "webp": "WEBP",
}
FORMATS: Final = tuple(dict.fromkeys(FORMAT_OF_SUFFIX.values()))  # those that are read


def is_system_name(name: bytes) -> bool:
    """Whether a file or folder is hidden or belongs to the system, so that nobody misses it."""
    return name.startswith(b".") or name.lower() in _SYSTEM_NAMES


def is_document_name(name: bytes) -> bool:
    """Whether a file says by its name that it is something else than a picture."""
    return suffix_of(name) in _DOCUMENT_SUFFIXES or name.lower() in _DOCUMENT_NAMES


def promised_format(name: bytes) -> str | None:
    """Return the format that a file's suffix promises, or None when it promises none."""
    return FORMAT_OF_SUFFIX.get(suffix_of(name))


def suffix_of(name: bytes) -> str:
    """Return the suffix in small letters without its point; empty when there is none."""
    return os.path.splitext(name)[1][1:].decode("ascii", "replace").lower()  # noqa: PTH122 - bytes
