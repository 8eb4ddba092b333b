"""What makes a folder of pictures unusable as it is: one function for each error.

A hint names options of ``imageloom data convert`` as a person writes them. Where there is one, the
details hold it as ``option``, for commands that lack it and must say where it belongs.
"""

import errno
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from imageloom.data.images.index import file_name
from imageloom.data.links import FOLLOW
from imageloom.errors import InvalidDatasetError
from imageloom.system.wording import count, some

_DETAILS: Final = 100
_SUFFIXES_SHOWN: Final = 5


class LinkedFiles(NamedTuple):
    """A folder of which most files are links.

    Attributes:
        folder: Relative to the root; empty for the root itself.
        links: How many are links.
        files: How many files there are with these.
        example: One of the links, relative to the root.
        target: Where it leads.
    """

    folder: bytes
    links: int
    files: int
    example: bytes
    target: bytes


def nested(root: bytes, folder: bytes) -> InvalidDatasetError:
    """Return the error for a folder with files inside a class folder."""
    top = file_name(folder.split(b"/")[0])
    return InvalidDatasetError(
        f"The class folder {top!r} in {file_name(root)} holds a folder with files: "
        f"{file_name(folder)!r}. Are its pictures of class {top!r}?",
        hint="Move the pictures up into the class folder, or take each inner folder as a class of "
        f"its own, such as {file_name(folder)!r}, with --nested join; or, to score them, take all "
        "pictures without labels, with --labels none.",
        reason="nested-classes",
        details={"folder": file_name(folder), "option": "--nested join"},
    )


def empty_classes(root: Path, names: list[str]) -> InvalidDatasetError:
    """Return the error for class folders without a file."""
    return InvalidDatasetError(
        f"{_these(len(names), 'class folder')} in {root} "
        f"{'holds' if len(names) == 1 else 'hold'} no pictures: {some(quoted(names))}.",
        hint="Add pictures or remove the folders; or leave them out with --empty-classes drop.",
        reason="empty-class",
        details={"classes": names[:_DETAILS], "option": "--empty-classes drop"},
    )


def no_pictures(root: Path, documents: Counter[str]) -> InvalidDatasetError:
    """Return the error for a folder without any."""
    found = f" It holds {documents_text(documents)}." if documents else ""
    return InvalidDatasetError(
        f"There are no pictures in {root}.{found}",
        hint="Give a folder with a sub-folder of pictures for each class.",
        reason="no-pictures",
    )


def not_listed(root: bytes, path: bytes, problem: OSError) -> InvalidDatasetError:
    """Return the error for a file or folder that the system does not let us see."""
    where = f"{file_name(path)!r} in {file_name(root)}" if path else file_name(root)
    if problem.errno in (errno.EACCES, errno.EPERM):
        return InvalidDatasetError(
            f"{where} may not be read: {problem.strerror}.",
            hint="Give yourself the right to read it, or remove it.",
            reason="not-readable",
            details={"folder": file_name(path)},
        )
    return InvalidDatasetError(
        f"{where} could not be listed: {problem.strerror}.",
        hint="It was removed, renamed or unmounted, or its path is too long. Try again when the "
        "folder is at rest.",
        reason="changed-while-listing",
        details={"folder": file_name(path)},
    )


def linked_folders(root: Path, links: Sequence[tuple[bytes, bytes]]) -> InvalidDatasetError:
    """Return the error for folders that are links, whose pictures nobody would miss.

    Args:
        root: The folder that was walked.
        links: Each link, relative to the root, and where it leads.
    """
    whose = "Its" if len(links) == 1 else "Their"
    return InvalidDatasetError(
        f"{_these(len(links), 'folder')} in {root} {_is_a_link(len(links))}, and links are not "
        f"followed: {some(leading(links))}. {whose} pictures would be left out.",
        hint=f"Read what links lead to with {FOLLOW}, or put the folders themselves there, or "
        "remove the links.",
        reason="linked-folders",
        details={"folders": [file_name(link) for link, _ in links[:_DETAILS]]},
    )


def linked_files(root: Path, found: LinkedFiles) -> InvalidDatasetError:
    """Return the error for a folder that is a farm of links to files elsewhere."""
    where = root / file_name(found.folder) if found.folder else root
    return InvalidDatasetError(
        f"{found.links:,} of {count(found.files, 'file')} in {where} "
        f"{_is_a_link(found.links)}, and links are not followed, such as "
        f"{some(leading([(found.example, found.target)]))}.",
        hint=f"Read what links lead to with {FOLLOW}, or put the files themselves there.",
        reason="linked-files",
        details={"folder": file_name(found.folder), "links": found.links, "files": found.files},
    )


def broken_folders(root: Path, links: Sequence[tuple[bytes, bytes]]) -> InvalidDatasetError:
    """Return the error for links among class folders that may have been some and lead nowhere."""
    one = len(links) == 1
    return InvalidDatasetError(
        f"{_these(len(links), 'link')} in {root} {'leads' if one else 'lead'} nowhere: "
        f"{some(leading(links))}. A class folder would be left out with all its pictures.",
        hint="Restore what they lead to (is a disk not mounted?), or remove the links.",
        reason="broken-links",
        details={"links": [file_name(link) for link, _ in links[:_DETAILS]]},
    )


def too_many_links(root: bytes, most: int, last: str) -> InvalidDatasetError:
    """Return the error for links to folders that never come to an end."""
    return InvalidDatasetError(
        f"More than {most:,} links to folders were followed in {file_name(root)}, the last of them "
        f"{last}. Do links lead to folders with further links?",
        hint="Give a folder in which each class is linked once.",
        reason="too-many-links",
    )


def leading(links: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """Return each link with where it leads, as ``'ants' to /data/ants``."""
    return [f"{file_name(link)!r} to {file_name(target)}" for link, target in links]


def quoted(names: Iterable[str]) -> list[str]:
    """Return names in quotes."""
    return [repr(name) for name in names]


def documents_text(documents: Counter[str]) -> str:
    """Return how many files are no pictures by their names, with the commonest suffixes."""
    kinds = [
        f"{number:,} .{suffix}" if suffix else f"{number:,} without suffix"
        for suffix, number in documents.most_common()
    ]
    files = count(documents.total(), "file that is a document", "files that are documents")
    return f"{files} by name ({some(kinds, most=_SUFFIXES_SHOWN)})"


def _these(number: int, what: str) -> str:
    return f"This {what}" if number == 1 else f"These {what}s"


def _is_a_link(number: int) -> str:
    return "is a link" if number == 1 else "are links"
