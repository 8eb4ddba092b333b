"""The files that a manifest names, found without being told how it will be read.

Which column holds the files is said by whoever converts it, later and elsewhere. Here every text in
it counts that is the name of a file, so that a label which by chance is one counts as well.
"""

import contextlib
import functools
import json
import os
import re
import stat
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Final
from xml.parsers import expat

from imageloom.data.names import (
    FORMAT_OF_SUFFIX,
    JSON_LINES_SUFFIXES,
    MANIFEST_SUFFIXES,
    TABLE_SUFFIXES,
    XML_SUFFIX,
)
from imageloom.data.sources.table.columns import FILE
from imageloom.data.sources.table.delimited import open_table
from imageloom.data.sources.table.files import folders_around
from imageloom.data.sources.table.names_of_others import possible_names
from imageloom.data.sources.table.other_spellings import OtherSpellings
from imageloom.errors import ImageloomError

_MAX_BYTES: Final = 1024 * 1024 * 1024  # of a manifest; no JSON or XML above it is read at all
_CHUNK: Final = 1024 * 1024
_MAX_NAME: Final = 4096  # characters of a path
_MAX_STRING: Final = 64 * 1024  # of JSON; what is longer is no name
_MAX_DEPTH: Final = 64  # of XML, as where it is read
_LOOKED_AT: Final = 10_000  # texts at most, among which names are looked for that tell the folder
_PROBES: Final = 20
_KEPT: Final = 65_536  # texts of which is remembered what they name; labels stand in many rows
_STRING: Final = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)

Named = tuple[str, os.stat_result]


def is_manifest(path: Path) -> bool:
    """Whether a path is a file that by its name lists pictures; a pipe of such a name is none."""
    return path.suffix.lower() in MANIFEST_SUFFIXES and path.is_file()


def named_files(manifest: Path, root: Path) -> Iterator[Named]:
    """Yield the files below ``root`` that a manifest names, in its order, with their state.

    A file that is named twice may come twice. Links are not followed. A manifest that cannot be
    read ends where it cannot; whoever converts it is told.

    Args:
        manifest: A file for which ``is_manifest`` holds.
        root: Absolute folder that names start from, as ``folder_of_names`` found it.
    """
    spellings = OtherSpellings(root)

    @functools.lru_cache(_KEPT)
    def find(text: str) -> Named | None:
        return _find(root, text) or _find_respelt(root, text, spellings)

    for text in _texts(manifest):
        found = find(text)
        if found is not None:
            yield found


def folder_of_names(manifest: Path) -> Path | None:
    """Return the folder from which the names in a manifest lead to files.

    That is its own, else the first in it, above it or beside it in which one of the first names
    lies; None where none does.
    """
    probes = _probes(manifest)
    roots = [manifest.parent, *folders_around(manifest.parent)] if probes else []
    for root in roots:
        if any(_find(root, text) for text in probes):
            return root
    for root in roots:  # each is listed for this, so all are asked without first
        spellings = OtherSpellings(root)
        if any(_find_respelt(root, text, spellings) for text in probes):
            return root
    return None


def _probes(manifest: Path) -> list[str]:
    texts = list(dict.fromkeys(islice(_texts(manifest), _LOOKED_AT)))
    named = [one for one in texts if one.rpartition(".")[2].lower() in FORMAT_OF_SUFFIX]
    return (named or texts)[:_PROBES]


def _find(root: Path, text: str) -> Named | None:
    if len(text) > _MAX_NAME:
        return None
    # What cannot be an address, or a path since it holds a NUL or half a character, is no name.
    with contextlib.suppress(ValueError):
        for name in chain(possible_names(text), [text.strip()]):
            path = name.removeprefix(f"{root}/")
            if not path or path.startswith("/") or ".." in path.split("/"):
                continue  # it leads out of the root, where nothing is read either
            with contextlib.suppress(OSError):
                found = os.lstat(f"{root}/{path}")
                if not stat.S_ISDIR(found.st_mode):
                    return path, found
    return None


def _find_respelt(root: Path, text: str, spellings: OtherSpellings) -> Named | None:
    """Find a file as Windows or macOS would by this name."""
    if not text.strip() or len(text) > _MAX_NAME or "\0" in text:
        return None
    with contextlib.suppress(ValueError, OSError):
        path = spellings.find(text)
        if path:
            found = os.lstat(root / path)
            if not stat.S_ISDIR(found.st_mode):
                return path, found
    return None


def _texts(manifest: Path) -> Iterator[str]:
    suffix = manifest.suffix.lower()
    try:
        if manifest.stat().st_size > _MAX_BYTES:
            return
        if suffix == XML_SUFFIX:
            yield from _attributes(manifest)
        elif suffix in TABLE_SUFFIXES and suffix not in JSON_LINES_SUFFIXES:
            yield from _cells(manifest)
        else:
            yield from _strings(manifest)
    except (OSError, ImageloomError, expat.ExpatError, ValueError, LookupError):
        return


def _cells(manifest: Path) -> Iterator[str]:
    table = open_table(manifest, manifest.parent, FILE)
    yield from table.first_row
    for _, values in table.rows():
        yield from values


def _strings(manifest: Path) -> Iterator[str]:
    """Yield the strings of a JSON text of any size, each once or a few times."""
    with manifest.open(encoding="utf-8-sig", errors="replace") as file:
        tail = ""
        while chunk := file.read(_CHUNK):
            text = tail + chunk
            found = list(_STRING.finditer(text))
            for raw in dict.fromkeys(one[1] for one in found):
                yield _unescaped(raw)
            start = text.find('"', found[-1].end() if found else 0)
            tail = "" if start < 0 else text[start:]
            if len(tail) > _MAX_STRING:  # only whether the next letter is escaped still matters
                tail = '"' + tail[len(tail.rstrip("\\")) :]


def _unescaped(raw: str) -> str:
    if "\\" not in raw:
        return raw
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw


def _attributes(manifest: Path) -> Iterator[str]:
    """Yield the values of all attributes; of pictures in subsets, their names below these too."""
    texts: list[str] = []
    depth = 0

    def start(_: str, values: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise ValueError("nested too deep")
        texts.extend(values.values())
        if "subset" in values and "name" in values:
            texts.append(f"{values['subset']}/{values['name']}")

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: object) -> None:
        raise ValueError("a document type")  # without one, no entity can be declared

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = refuse
    with manifest.open("rb") as file:
        while chunk := file.read(_CHUNK):
            parser.Parse(chunk, False)
            yield from texts
            texts.clear()
