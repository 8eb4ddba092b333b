"""From the pictures of a request to their probabilities, in its time and the room that is left.

Legend: N pictures, K classes.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imageloom.errors import ServerBusyError, TimeoutOccuredError
from imageloom.serving.batching import Batcher, Row
from imageloom.serving.preparing import Preparer, Sent
from imageloom.serving.room import Room
from imageloom.serving.served_model import ServedModel


@dataclass
class Answering:
    """What answers.

    Attributes:
        model: Whose answers they are.
        room: What is inside.
        preparer: Decodes.
        batcher: Asks the network.
        timeout_s: Longest time from the pictures to their answer.
        is_stopping: Whether nothing more is taken.
    """

    model: ServedModel
    room: Room
    preparer: Preparer
    batcher: Batcher
    timeout_s: float
    is_stopping: bool = False

    @property
    def is_ready(self) -> bool:
        """Whether a request would be answered now, as far as can be told."""
        return not self.is_stopping and not self.batcher.is_broken

    async def probabilities(self, pictures: Sequence[Sent]) -> npt.NDArray[np.float32]:
        """Return float32 [N, K], a row for each picture.

        Raises:
            InvalidDatasetError: A picture cannot be used; none is answered then.
            InvalidRequestError: There are more than can ever be inside.
            ServerBusyError: There is no room, or the server is about to stop.
            TimeoutOccuredError: It took too long.
            WorkerLostError: A decoding process ended at a picture.
            ImageloomError: The network failed.
        """
        if self.is_stopping:
            raise ServerBusyError(
                "The server is about to stop.", hint="Ask another.", reason="stopping"
            )
        with self.room.of_pictures(len(pictures)):
            tasks = [asyncio.create_task(self._row(one)) for one in pictures]
            try:
                async with asyncio.timeout(self.timeout_s):
                    return np.stack(await asyncio.gather(*tasks))
            except TimeoutError:
                raise self._too_slow() from None
            finally:
                for task in tasks:
                    task.cancel()  # what waits for the network is taken out of its queue
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _row(self, picture: Sent) -> Row:
        image_HWC = await self.preparer.prepare(picture)
        return await asyncio.wrap_future(self.batcher.submit(image_HWC))

    def _too_slow(self) -> TimeoutOccuredError:
        return TimeoutOccuredError(
            f"The answer was not ready within {self.timeout_s:g} s; {self.room.pictures:,} "
            "pictures are inside.",
            hint="Try again in a moment. If it stays so, lower --most-pictures.",
            reason="answer-timeout",
        )
