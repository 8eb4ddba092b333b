"""Folders and files of this machine, among which a person looks for pictures."""

import os
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from imageloom.data.previews.values import LeftOutPage, Losses
from imageloom.errors import CouldNotOpenFileError
from imageloom.server.file_answers import ThumbnailAddress
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.sight import seen_place
from imageloom.server.studio import Studio, StudioNow

router = APIRouter(prefix="/places", tags=["places"])
_MOST = 2_000


class Place(BaseModel):
    """A folder or a file.

    Attributes:
        name: Its own name.
        path: Where it is.
        is_folder: Whether it is a folder.
        bytes: Size of a file; null for a folder.
        modified: When it changed, in seconds since 1970, UTC.
    """

    name: str
    path: str
    is_folder: bool
    bytes: int | None
    modified: float


class Folder(BaseModel):
    """What lies in a folder.

    Attributes:
        path: Where it is.
        parent: The folder around it, or null at a root.
        roots: Folders that the page may show.
        entries: Folders, then files, by name; hidden ones are left out.
        num_more: How many entries are not shown.
    """

    path: str
    parent: str | None
    roots: list[str]
    entries: list[Place]
    num_more: int


@router.get("")
@needs(Role.EDITOR)
def look(studio: StudioNow, path: str = "") -> Folder:
    """Return what lies in a folder, by default the one in which the studio was started."""
    folder = seen_place(studio, path or _first(studio))
    try:
        with os.scandir(folder) as found:
            entries = [one for one in map(_place, found) if one is not None]
    except OSError as problem:
        raise CouldNotOpenFileError(
            f"{folder} cannot be read: {problem.strerror}.", hint="Choose another folder."
        ) from problem
    entries.sort(key=lambda one: (not one.is_folder, one.name.casefold()))
    is_root = folder in studio.roots.paths
    return Folder(
        path=str(folder),
        parent=None if is_root else str(folder.parent),
        roots=[str(one) for one in studio.roots.paths],
        entries=entries[:_MOST],
        num_more=max(len(entries) - _MOST, 0),
    )


class SampleInfo(BaseModel):
    """One of the first pictures of a class.

    Attributes:
        file: Its name.
        thumbnail: Address of a small copy, or null.
        problem: Why there is none.
    """

    file: str
    thumbnail: ThumbnailAddress
    problem: str


class ClassInfo(BaseModel):
    """A class of pictures.

    Attributes:
        name: Its name; null for pictures without labels.
        images: How many there are.
        samples: The first of them.
    """

    name: str | None
    images: int
    samples: list[SampleInfo]


class SourceInfo(BaseModel):
    """What a folder, an archive or a table of pictures holds.

    Attributes:
        kind: What it is.
        path: What was described.
        images: How many pictures, without those that are known to be unusable.
        files: How many files are taken for pictures by their names.
        headers_read: Of how many of them the header was read; of others only names are known.
        is_decoded: Whether all were decoded, as those of an image directory are.
        classes: All classes, in order.
        left_out: How many files are left out.
        left_out_reasons: How many for each reason, the commonest first.
        losses: What that means for a run.
        notices: What a person should know.
    """

    kind: str
    path: str
    images: int
    files: int
    headers_read: int
    is_decoded: bool
    classes: list[ClassInfo]
    left_out: int
    left_out_reasons: dict[str, int]
    losses: Losses
    notices: list[str]


@router.get("/description")
@needs(Role.EDITOR)
def describe(studio: StudioNow, path: str) -> SourceInfo:
    """Return what a place holds as a source of pictures, with a few of them."""
    found = studio.pictures.describe(seen_place(studio, studio.base / path))
    return SourceInfo.model_validate(found, from_attributes=True)


@router.get("/left-out")
@needs(Role.EDITOR)
def left_out(
    studio: StudioNow,
    path: str,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> LeftOutPage:
    """Return some of the files that the description of a place counts as left out, by name."""
    place = seen_place(studio, studio.base / path)
    return studio.pictures.left_out(place, offset=offset, limit=limit)


def _first(studio: Studio) -> Path:
    """Return the folder to begin with: the one in which the studio was started, if it shows it."""
    if studio.people is None:
        return studio.base
    roots = studio.roots.paths
    is_shown = any(studio.base.is_relative_to(one) for one in roots)
    return studio.base if is_shown or not roots else roots[0]


def _place(entry: "os.DirEntry[str]") -> Place | None:
    if entry.name.startswith("."):
        return None
    try:
        facts = entry.stat()
        is_folder = entry.is_dir()
    except OSError:  # gone, or a link to nowhere
        return None
    return Place(
        name=_shown(entry.name),
        path=_shown(str(Path(entry.path))),
        is_folder=is_folder,
        bytes=None if is_folder else facts.st_size,
        modified=facts.st_mtime,
    )


def _shown(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
