"""What a studio that lives for weeks does now and then, so that it goes on telling the truth."""

import asyncio
import logging
from typing import Final

from imageloom.app import Engine
from imageloom.errors import ImageloomError

logger = logging.getLogger(__name__)
EVERY_S: Final = 60.0


async def look_after(engine: Engine) -> None:
    """Do ``look_once`` every minute, until the task is cancelled."""
    while True:
        await asyncio.sleep(EVERY_S)
        await asyncio.to_thread(look_once, engine)


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
