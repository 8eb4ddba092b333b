"""A process that shows pictures to a server, which must load neither Pillow nor Arrow itself.

Its parent is ``imageloom.data.previews.client``; how the two speak, ``system.helper_answers``
says. The setup is ``{"cache": FOLDER, "roots": [FOLDER, ...]}``.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from imageloom.data.decoding.worker import MAX_MEMORY_BYTES
from imageloom.data.params import ConvertParams
from imageloom.data.previews.cache import ThumbnailCache
from imageloom.data.previews.describe import Wanted, describe, left_out_files
from imageloom.data.previews.image_pages import ImagesOverview, PicturePage
from imageloom.data.previews.look_into import overview_of, pictures_of, require_row
from imageloom.data.previews.opened import OpenedDirectories
from imageloom.data.previews.reach import Reach
from imageloom.data.previews.thumbnails import Thumbnails
from imageloom.data.previews.values import (
    SIZES,
    KeptThumbnail,
    LeftOut,
    LeftOutPage,
    SourceDescription,
)
from imageloom.system.helper_answers import Answer, answer_parent

_SOURCES_KEPT: Final = 4
_MOST_ROWS: Final = 1_000
_FEW: Final = 1


class Previews:
    """Answers requests; each method is one that a parent may name.

    Args:
        cache: Where thumbnails are kept.
        reach: Which pictures may be read.
    """

    def __init__(self, cache: ThumbnailCache, reach: Reach) -> None:
        self._thumbnails = Thumbnails(cache, reach)
        self._reach = reach
        self._opened = OpenedDirectories()
        # Of the sources that were described last: to list them again would take as long.
        self._left_out: dict[tuple[str, str], Sequence[LeftOut]] = {}

    def thumbnail(self, folder: str, file: str, size: int) -> KeptThumbnail:
        """Return the thumbnail of a file below a folder."""
        return self._thumbnails.of_file(Path(folder), os.fsencode(file), size)

    def describe(
        self, path: str, params: dict[str, object], samples: int, size: int
    ) -> SourceDescription:
        """Return what a source holds."""
        wanted = Wanted(ConvertParams.parse(params), samples, size)
        found = describe(path, wanted, self._thumbnails, self._opened)
        self._left_out.pop((path, str(params)), None)
        self._left_out[path, str(params)] = found.left_out_files
        if len(self._left_out) > _SOURCES_KEPT:
            self._left_out.pop(next(iter(self._left_out)))
        return found.description

    def left_out(
        self, path: str, params: dict[str, object], offset: int, limit: int
    ) -> LeftOutPage:
        """Return some of the files that a source's description counts as left out."""
        if (path, str(params)) not in self._left_out:
            self.describe(path, params, samples=_FEW, size=SIZES[0])
        files = self._left_out[path, str(params)]
        start = max(0, offset)
        return LeftOutPage(tuple(files[start : start + min(limit, _MOST_ROWS)]), len(files))

    def left_out_of(self, path: str, offset: int, limit: int) -> LeftOutPage:
        """Return some of the files that an image directory lists as left out."""
        files = left_out_files(self._opened.open(self._reach.source(path)).rejected)
        start = max(0, offset)
        return LeftOutPage(tuple(files[start : start + min(limit, _MOST_ROWS)]), len(files))

    def overview(self, path: str) -> ImagesOverview:
        """Return what an image directory holds, in numbers."""
        return overview_of(self._opened.open(self._reach.source(path)))

    def pictures(
        self, path: str, label: str | None, rows: list[int] | None, offset: int, limit: int
    ) -> PicturePage:
        """Return some pictures of an image directory."""
        images = self._opened.open(self._reach.source(path))
        most = min(limit, _MOST_ROWS)
        return pictures_of(images, label=label, rows=rows, offset=max(0, offset), limit=most)

    def picture(self, path: str, row: int, size: int) -> KeptThumbnail:
        """Return the thumbnail of a picture of an image directory."""
        images = self._opened.open(self._reach.source(path))
        require_row(images, row)
        return self._thumbnails.of_row(images, row, size)


_WORK: Final[Mapping[str, Callable[..., Any]]] = {
    "thumbnail": Previews.thumbnail,
    "describe": Previews.describe,
    "left_out": Previews.left_out,
    "left_out_of": Previews.left_out_of,
    "overview": Previews.overview,
    "pictures": Previews.pictures,
    "picture": Previews.picture,
}


def main() -> None:
    """Serve the parent that started this process."""
    answer_parent(_prepare, memory_bytes=MAX_MEMORY_BYTES)


def _prepare(setup: dict[str, Any]) -> Answer:
    cache = ThumbnailCache(Path(setup["cache"]))
    cache.prepare()
    previews = Previews(cache, Reach(tuple(map(Path, setup["roots"]))))
    return lambda name, arguments: dataclasses.asdict(_WORK[name](previews, **arguments))


if __name__ == "__main__":
    main()
