"""Pictures as files in a folder for each class.

A class whose name can be no folder's, such as ``a/b``, gets its name with ``%`` and two digits for
each sign that cannot stay, as in addresses. What folders cannot tell, such names and groups, stands
in a table beside them, which ``convert`` reads.
"""

import csv
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final

from imageloom.data.exports.file_names import FileNames, is_odd
from imageloom.data.images.directory import ImageDirectory
from imageloom.data.names import is_system_name
from imageloom.errors import InvalidDatasetError
from imageloom.preprocessing.similar_names import quoted
from imageloom.system.wording import count, some

LABELS: Final = "labels.csv"
_MAX_BYTES: Final = 255  # of a name, on Linux and macOS


def write_folders(images: ImageDirectory, contents: Iterable[bytes], into: Path) -> tuple[str, ...]:
    """Write each picture into the folder of its class; without classes, all into one.

    Args:
        images: The pictures.
        contents: Their bytes, in index order.
        into: An empty folder.

    Returns:
        What a person should know.

    Raises:
        InvalidDatasetError: A class name is too long for a folder, or two would be one.
    """
    folders = folder_names(images.classes)
    encoded = [name for name, folder in folders.items() if name != folder]
    has_groups = images.index.column("group").null_count < len(images)
    names = FileNames()
    with ExitStack() as stack:
        table = None
        if encoded or has_groups:
            table = _Table(stack.enter_context((into / LABELS).open("x", newline="")), images)
        for row, content in enumerate(contents):
            label = images.classes[images.labels[row]] if images.classes else None
            folder = folders[label] if label is not None else ""
            (into / folder).mkdir(exist_ok=True)
            name = names.choose(folder, images, row)
            with (into / folder / name).open("xb") as file:
                file.write(content)
            if table is not None:
                table.add(row, f"{folder}/{name}" if folder else name, label)
    return tuple(_notices(folders, encoded, has_groups=has_groups, renamed=names.renamed))


def folder_names(classes: Iterable[str]) -> dict[str, str]:
    """Return the folder of each class.

    Raises:
        InvalidDatasetError: A name is too long, or two classes would have one folder.
    """
    folders: dict[str, str] = {}
    taken: dict[str, str] = {}  # the class of each folder
    for name in classes:
        folder = name if _is_plain(name) else "".join(map(_encoded, name))
        if folder == name and not _is_plain(name):  # '..', '.git' or Thumbs.db
            folder = f"%{ord(name[0]):02X}{name[1:]}"
        if len(os.fsencode(folder)) > _MAX_BYTES:
            what = f"The class {quoted(name[:60])} has a name of more than {_MAX_BYTES} bytes"
            raise _no_folder(f"{what}, which no folder can have.")
        other = taken.setdefault(folder, name)
        if other != name:
            raise _no_folder(
                f"The classes {quoted(other)} and {quoted(name)} would have one folder, {folder!r}."
            )
        folders[name] = folder
    return folders


def _is_plain(name: str) -> bool:
    return name != LABELS and not is_system_name(os.fsencode(name)) and not any(map(is_odd, name))


def _encoded(sign: str) -> str:
    return f"%{ord(sign):02X}" if sign == "%" or is_odd(sign) else sign


class _Table:
    """Writes what folders cannot tell, one picture a line; columns without values are left out."""

    def __init__(self, file: IO[str], images: ImageDirectory) -> None:
        groups = images.index.column("group")
        self._groups = groups if groups.null_count < len(images) else None
        self._is_labelled = bool(images.classes)
        self._writer = csv.writer(file)
        self._write("file", "label", "group")

    def add(self, row: int, file: str, label: str | None) -> None:
        group = None if self._groups is None else self._groups[row].as_py()
        self._write(file, label or "", group or "")

    def _write(self, file: str, label: str, group: str) -> None:
        labels = [label] if self._is_labelled else []
        self._writer.writerow([file, *labels, *([] if self._groups is None else [group])])


def _notices(
    folders: dict[str, str], encoded: list[str], *, has_groups: bool, renamed: int
) -> Iterator[str]:
    if encoded:
        pairs = [f"{quoted(name)} as {folders[name]!r}" for name in encoded[:3]]
        yield (
            f"{count(len(encoded), 'class has a name', 'classes have names')} that no folder can "
            f"have: {some(pairs, total=len(encoded))}. {LABELS} has the labels as they are."
        )
    if has_groups:
        yield f"Groups stand in {LABELS}."
    if renamed:
        yield (
            f"{count(renamed, 'picture has', 'pictures have')} another name than before, since two "
            "in a folder had one, or no picture is called so."
        )


def _no_folder(what: str) -> InvalidDatasetError:
    return InvalidDatasetError(
        what, hint="Use --to parquet, which takes any name.", reason="no-folder-name"
    )
