"""The picture cache of a run, made ready: room in it, and what a person should know of that."""

import os

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.loading.cache_sweep import sweep
from imageloom.data.loading.copy_size import copy_side
from imageloom.data.loading.picture_cache import PictureCache, bytes_of_copies, rows_with_room
from imageloom.distributed.ranks import Ranks
from imageloom.events import EventSink, Notice
from imageloom.preprocessing import Transforms
from imageloom.settings import read_settings
from imageloom.system.wording import count, mebibytes
from imageloom.training.params import TrainParams


def picture_cache_of(
    training: ImageDirectory,
    transforms: Transforms,
    params: TrainParams,
    ranks: Ranks,
    on_event: EventSink,
) -> PictureCache | None:
    """Return the cache that a run reads through, or None where it reads the pictures themselves.

    One process of each machine makes room in it first.

    Raises:
        ParameterParsingError: The transforms do not go with it.
    """
    if params.picture_cache == "off":
        return None
    settings = read_settings(os.environ)
    cache = PictureCache(
        root=settings.picture_cache,
        side=copy_side(transforms),
        limit_bytes=int(settings.picture_cache_limit_gib * 2**30),
    )
    if ranks.local_rank == 0:
        _make_room(cache, training, on_event)
    return cache


def _make_room(cache: PictureCache, training: ImageDirectory, on_event: EventSink) -> None:
    heights_N, widths_N = (training.index.column(one).to_numpy() for one in ("height", "width"))
    sizes_N = bytes_of_copies(cache, heights_N, widths_N)
    rows = rows_with_room(cache, heights_N, widths_N)
    digests_N: list[bytes] = training.index.column("sha256")[:rows].to_pylist()
    swept = sweep(cache, digests_N, sizes_N[:rows])
    if swept.copies:
        on_event(
            Notice(
                "info",
                f"{count(swept.copies, 'scaled copy', 'scaled copies')} of pictures "
                f"({mebibytes(swept.size_bytes)}), not used for longest, made room in "
                f"{cache.root}.",
            )
        )
    if rows < len(training):
        on_event(
            Notice(
                "warning",
                f"Scaled copies of the {len(training):,} training pictures take "
                f"{mebibytes(int(sizes_N.sum()))}, but {cache.root} may take "
                f"{mebibytes(cache.limit_bytes)}. Those of {rows:,} are kept; the others are "
                "decoded and scaled in each epoch. IMAGELOOM_PICTURE_CACHE_LIMIT_GIB changes the "
                "limit.",
            )
        )
