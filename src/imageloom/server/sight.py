"""Which folders and uploads of this machine a person may look into, and have pipelines read."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from imageloom.errors import CouldNotOpenFileError
from imageloom.params import Params
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.pipeline.graph.resolve import ResolvedNode
from imageloom.pipeline.ownership import read_ownership
from imageloom.server.roots import Roots
from imageloom.server.studio import Studio
from imageloom.spec.component import Outside

_CODE: Final = Path(__file__).parents[1]
Reads = Callable[[Params, Outside], Path]


def seen_place(studio: Studio, path: Path | str) -> Path:
    """Return where a path leads, all links followed, if who asks may look there.

    The machine's owner sees the roots. Where several people share the studio, nobody looks into
    the workspace that way, but for the uploads that they see; nor into what Imageloom keeps for
    itself, the owner's settings and code, and what is hidden, although a root may have it.

    Raises:
        CouldNotOpenFileError: They may not. Whether anything is there is not told.
    """
    if studio.people is None:
        return studio.roots.require(path)
    try:
        place = Path(os.path.realpath(path))
    except ValueError:  # a NUL
        return studio.roots.require(path)
    if _lies_in(place, studio.engine.workspace.root):
        is_seen = _is_seen_upload(studio, place)
    elif not _is_private(studio, place) and not _is_hidden(studio.roots, place):
        return studio.roots.require(path)
    else:
        is_seen = False
    if not is_seen:
        raise CouldNotOpenFileError(
            f"{path} lies outside the folders that this page may show.",
            hint="Choose a folder that it shows, or an upload.",
            reason="outside-roots",
        )
    return place


def roots_of_runs(studio: Studio) -> Roots:
    """Return where the pictures of a run may lie that who asks may see: also in the workspace."""
    return Roots.of((*studio.roots.paths, studio.engine.workspace.root))


def require_inside_roots(studio: Studio, pipeline: Pipeline) -> None:
    """Refuse a pipeline that reads what a person may not see.

    Raises:
        CouldNotOpenFileError: A node reads from outside the roots and the uploads.
        ParameterError: A node does not say what it reads.
    """
    outside = Outside(base=studio.base, uploads=studio.engine.workspace.uploads)
    for node in pipeline.nodes:
        if node.component in studio.engine.components:
            component = studio.engine.components.get(node.component)
            if component.reads is not None:
                params = component.params.parse(dict(node.params))
                _require_readable(studio, component.reads, params, outside)


class SeenOutside:
    """Looks outside a pipeline for a forecast, and only where who asks may look.

    Args:
        studio: Who asks, and what was seen a moment ago.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def look(self, resolved: ResolvedNode, outside: Outside) -> str:
        """Return what ``look_outside`` returns now or returned a moment ago.

        Raises:
            ImageloomError: There is nothing where the node reads, or they may not look there.
        """
        reads = resolved.component.reads
        if self._studio.people is not None and reads is not None:
            _require_readable(self._studio, reads, resolved.params, outside)
        return self._studio.memo.look(resolved, outside)


def _require_readable(studio: Studio, reads: Reads, params: Params, outside: Outside) -> None:
    if studio.people is None:
        place = reads(params, outside)
        if not place.is_relative_to(outside.uploads):
            studio.roots.require(place)
        return
    try:
        seen_place(studio, reads(params, outside))
    except CouldNotOpenFileError:  # its words name uploads of others
        raise CouldNotOpenFileError(
            "What it reads is neither in a folder that you may see nor an upload that you see.",
            hint="Choose where the pictures are.",
            reason="outside-roots",
        ) from None


def _is_private(studio: Studio, place: Path) -> bool:
    """Whether a place is of the machine's owner alone, or code of ours."""
    settings = studio.engine.settings
    # The folder of downloads may be a link to a larger disk.
    own = (settings.home, settings.downloads, settings.targets, settings.extensions, _CODE)
    return any(one is not None and _lies_in(place, Path(one)) for one in own)


def _is_hidden(roots: Roots, place: Path) -> bool:
    inside = (place.relative_to(root) for root in roots.paths if place.is_relative_to(root))
    return any(part.startswith(".") for one in inside for part in one.parts)


def _lies_in(place: Path, folder: Path) -> bool:
    """Whether a place is a folder or lies in it, by whatever name.

    Names are not enough where a file system has several for one folder, as those that do not tell
    A from a, or a folder that is mounted twice.
    """
    if place.is_relative_to(os.path.realpath(folder)):
        return True
    with contextlib.suppress(OSError):
        known = folder.stat()
        for one in (place, *place.parents):
            with contextlib.suppress(OSError):
                if os.path.samestat(one.stat(), known):
                    return True
    return False


def _is_seen_upload(studio: Studio, place: Path) -> bool:
    uploads = Path(os.path.realpath(studio.engine.workspace.uploads))
    if place == uploads or not place.is_relative_to(uploads):
        return False
    name = place.relative_to(uploads).parts[0]
    if name.startswith(".") or not os.path.lexists(uploads / name):
        return False  # one that is not there is told like one that may not be seen
    ownership = read_ownership(studio.engine.workspace.owner_of_upload(name))
    return studio.viewpoint().shows(ownership)
