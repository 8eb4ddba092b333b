"""What a studio that lives for weeks does now and then, so that it goes on telling the truth."""

import asyncio
import logging
import time
from typing import Final

from imageloom.app import Engine
from imageloom.errors import ImageloomError
from imageloom.pipeline.store.recycle_bin import BIN_DAYS, RecycleBin
from imageloom.pipeline.store.unfinished_uploads import sweep_uploads
from imageloom.pipeline.store.upload_limits import KEPT_DAYS
from imageloom.server.studio import Studio

logger = logging.getLogger(__name__)
EVERY_S: Final = 60.0
LOOKS_PER_TIDYING: Final = 60
"""An hour: what is tidied up lies about for days."""


async def look_after(studio: Studio) -> None:
    """Do ``look_once`` every minute and ``tidy_once`` every hour, until the task is cancelled.

    Each minute those processes end, too, that hold torch and were asked nothing for long.
    """
    looks = 0
    while True:
        await asyncio.sleep(EVERY_S)
        await asyncio.to_thread(look_once, studio.engine)
        for pool in (studio.models.pool, studio.pictures.seen.pool):
            await asyncio.to_thread(pool.end_idle)
        if looks % LOOKS_PER_TIDYING == 0:
            await asyncio.to_thread(tidy_once, studio)
        looks += 1


def look_once(engine: Engine) -> None:
    """See what changed in the file of targets, and what became of runs whose process was lost.

    What cannot be done now, as on a disk that does not answer, is tried again the next time.
    """
    try:
        if engine.refresh().needs_restart:
            logger.warning("The extensions were changed. Start the studio anew to use them.")
        engine.sweep()
    except ImageloomError as problem:
        logger.warning("%s", problem)


def tidy_once(studio: Studio) -> None:
    """Remove what is left over: uploads nobody went on with, old things in the bin, and the like.

    What cannot be done now is tried again the next time, as in ``look_once``.
    """
    try:
        swept = sweep_uploads(studio.engine.workspace, now=time.time())
        if swept:
            logger.warning("Removed %d uploads that were left for %d days.", swept, KEPT_DAYS)
        binned = RecycleBin(studio.engine.workspace).sweep(now=time.time())
        if binned:
            logger.warning("Deleted %d things that lay in the bin for %d days.", binned, BIN_DAYS)
        if studio.people is not None:
            studio.people.sessions.sweep()
        studio.pictures.tidy()
        studio.models.kept.prune()
    except (ImageloomError, OSError) as problem:
        logger.warning("Could not tidy up: %s", problem)
