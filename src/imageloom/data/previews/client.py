"""Pictures for a server that must not load Pillow or Arrow: asked of processes that may die.

Only the standard library and light modules of ours are imported here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from imageloom.data.previews.cache import THUMBNAILS, ThumbnailCache
from imageloom.data.previews.image_pages import (
    ImagesOverview,
    PicturePage,
)
from imageloom.data.previews.searches import DuplicateSearches
from imageloom.data.previews.seen import SeenHelper
from imageloom.data.previews.values import (
    KeptThumbnail,
    LeftOutPage,
    Size,
    SourceDescription,
    answer_as,
)
from imageloom.system.helper_pool import HelperPool
from imageloom.system.helper_process import LEAN, HelperKind

PICTURE_TIMEOUT_S: Final = 10.0
"""As long as a conversion gives one file; reading and decoding one takes a fraction of a second."""

DESCRIBE_TIMEOUT_S: Final = 120.0

PREVIEWS: Final = HelperKind(
    module="imageloom.data.previews.worker",
    name="preview process",
    reason="preview",
    slow_hint="Is the disk or network share of the pictures there? Very large sources take their "
    "time: convert them with 'imageloom data convert'.",
    lost_hint="The picture may be hostile, or memory short. Others can still be shown.",
    environment=LEAN,
)


class PictureHelper:
    """Thumbnails and descriptions, by processes that are started when first needed.

    Any thread may call; a call waits for a free process and for its answer. A process that dies or
    takes too long costs one call: the next starts another. All end when ``close`` is called, and
    by themselves when the process that made this ends in any way.

    Args:
        cache: Folder for thumbnails, which may be deleted at any time.
        roots: Absolute folders from which pictures may be shown, the workspace among them; empty
            for all that this user may read.
        looks: File of what pictures look like in small.

    Attributes:
        pool: The processes.
        seen: Pictures as networks see them.
        searches: Searches for duplicates.
    """

    def __init__(
        self,
        cache: Path,
        *,
        looks: Path,
        roots: Sequence[Path] = (),
    ) -> None:
        self.seen = SeenHelper(roots=roots)
        self.searches = DuplicateSearches(cache, looks=looks, roots=roots)
        self._cache = ThumbnailCache(cache)
        self.pool = HelperPool(
            PREVIEWS,
            {"cache": str(cache), "roots": [str(root) for root in roots]},
            on_end=self._cache.clear_away,
        )

    def find_thumbnail(self, sha256: str, size: Size) -> Path | None:
        """Return a thumbnail that was made before, without asking any process.

        Args:
            sha256: Of the picture, in hexadecimal, as a page has it; may come from a stranger.
            size: Longest side in pixels.
        """
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            return None
        found = self._cache.find(sha256, size)
        return None if found is None else self.path(found)

    def path(self, thumbnail: KeptThumbnail) -> Path:
        """Return where a thumbnail lies."""
        return self._cache.folder / THUMBNAILS / thumbnail.name

    def thumbnail(
        self, folder: Path, file: str, size: Size = 240, *, timeout_s: float = PICTURE_TIMEOUT_S
    ) -> Path:
        """Return a small JPEG copy of a file below a folder.

        Args:
            folder: Absolute; one of the roots or below it.
            file: Name from there, from a stranger; no part of it may be a link.
            size: Longest side in pixels.
            timeout_s: Longest time, the wait for a free process included.

        Raises:
            CouldNotOpenFileError: It is not there, lies elsewhere, or is a link or no file.
            InvalidDatasetError: It is damaged, too large or no picture.
            TimeoutOccuredError: It took too long, or all processes are busy.
            WorkerLostError: The process ended at it.
            FailedToWriteOutputsError: The cache cannot be written.
        """
        what = {"folder": str(folder), "file": file, "size": size}
        return self.path(answer_as(KeptThumbnail, self.pool.ask("thumbnail", what, timeout_s)))

    def describe(
        self,
        path: Path,
        *,
        params: Mapping[str, object] | None = None,
        samples: int = 6,
        size: Size = 240,
        timeout_s: float = DESCRIBE_TIMEOUT_S,
    ) -> SourceDescription:
        """Return what a folder, an archive, a manifest or an image directory holds.

        Args:
            path: Absolute.
            params: Parameters of a conversion that differ from their defaults.
            samples: Pictures to show of each class, for the first 20 classes.
            size: Longest side of their thumbnails, in pixels.
            timeout_s: As for ``thumbnail``.

        Raises:
            CouldNotOpenFileError: There is nothing, or it may not be shown.
            InvalidDatasetError: It could not be converted; the words are those of a conversion.
            ParameterError: A parameter has a value that a conversion does not take.
            ImageloomError: As ``thumbnail``.
        """
        what = {"path": str(path), "params": dict(params or {}), "samples": samples, "size": size}
        return answer_as(SourceDescription, self.pool.ask("describe", what, timeout_s))

    def left_out(
        self,
        path: Path,
        *,
        params: Mapping[str, object] | None = None,
        offset: int = 0,
        limit: int = 100,
        timeout_s: float = DESCRIBE_TIMEOUT_S,
    ) -> LeftOutPage:
        """Return some of the files that a description counts as left out, by name.

        Args:
            path: As for ``describe``, which may have been asked before: then this takes no time.
            params: As for ``describe``.
            offset: How many to pass over.
            limit: How many to return, up to 1,000.
            timeout_s: As for ``thumbnail``.

        Raises:
            ImageloomError: As ``describe``.
        """
        what = {"path": str(path), "params": dict(params or {}), "offset": offset, "limit": limit}
        return answer_as(LeftOutPage, self.pool.ask("left_out", what, timeout_s))

    def left_out_of(
        self,
        path: Path,
        *,
        offset: int = 0,
        limit: int = 100,
        timeout_s: float = DESCRIBE_TIMEOUT_S,
    ) -> LeftOutPage:
        """Return some of the files that an image directory lists as left out, by name.

        Args:
            path: Absolute.
            offset: How many to pass over.
            limit: How many to return, up to 1,000.
            timeout_s: As for ``thumbnail``.

        Raises:
            InvalidDatasetError: It is none, or is damaged.
            ImageloomError: As ``thumbnail``.
        """
        what = {"path": str(path), "offset": offset, "limit": limit}
        return answer_as(LeftOutPage, self.pool.ask("left_out_of", what, timeout_s))

    def overview(self, path: Path, *, timeout_s: float = DESCRIBE_TIMEOUT_S) -> ImagesOverview:
        """Return what an image directory holds, in numbers.

        Args:
            path: Absolute.
            timeout_s: As for ``thumbnail``.

        Raises:
            InvalidDatasetError: It is none, or is damaged.
            ImageloomError: As ``thumbnail``.
        """
        return answer_as(ImagesOverview, self.pool.ask("overview", {"path": str(path)}, timeout_s))

    def pictures(
        self,
        path: Path,
        *,
        label: str | None = None,
        rows: Sequence[int] | None = None,
        offset: int = 0,
        limit: int = 100,
        timeout_s: float = DESCRIBE_TIMEOUT_S,
    ) -> PicturePage:
        """Return some pictures of an image directory, in its order.

        Args:
            path: Absolute.
            label: Only pictures of this class; by default of all.
            rows: Only these positions, in this order, which are looked up whatever their class is.
            offset: How many to pass over.
            limit: How many to return, up to 1,000.
            timeout_s: As for ``thumbnail``.

        Raises:
            UnknownNameError: There is no such class.
            InvalidDatasetError: It is no image directory, or is damaged.
            ImageloomError: As ``thumbnail``.
        """
        which = {"label": label, "rows": None if rows is None else list(rows)}
        what = {"path": str(path), **which, "offset": offset, "limit": limit}
        return answer_as(PicturePage, self.pool.ask("pictures", what, timeout_s))

    def picture(
        self, path: Path, row: int, size: Size = 240, *, timeout_s: float = PICTURE_TIMEOUT_S
    ) -> Path:
        """Return a small JPEG copy of a picture that an image directory lists.

        Args:
            path: Of the image directory, absolute.
            row: The picture's position in it.
            size: Longest side in pixels.
            timeout_s: As for ``thumbnail``.

        Raises:
            CouldNotOpenFileError: There is no such row.
            InvalidDatasetError: The file is not any more what was converted.
            ImageloomError: As ``thumbnail``.
        """
        what = {"path": str(path), "row": row, "size": size}
        return self.path(answer_as(KeptThumbnail, self.pool.ask("picture", what, timeout_s)))

    def tidy(self) -> None:
        """Remove what was not used for longest: thumbnails above 1 GiB, and old searches."""
        self._cache.prune()
        self.searches.tidy()

    def close(self) -> None:
        """End all processes; calls that wait for one get an error."""
        self.pool.close()
        self.seen.close()
        self.searches.close()
