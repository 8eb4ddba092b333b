"""All ranks of a job on this machine."""

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final

from imageloom.events import Control
from imageloom.files.temporary import own_folder
from imageloom.launch.local.attempts import RankJob
from imageloom.launch.local.blame import RankEnd
from imageloom.launch.local.watch import RANKS_FOLDER, Share, Start, watch
from imageloom.launch.network import interface_variables
from imageloom.system.wording import count

logger = logging.getLogger(__name__)

_LOOPBACK: Final = "lo" if sys.platform == "linux" else "lo0"


class OneMachine:
    """A crew of one.

    Args:
        processes: How many ranks.
        store: Keeps the store in which ranks find each other, and gives the variables that say
            where; a new one for each start, so that nothing of an earlier one is found in it.
    """

    def __init__(
        self, processes: int, store: Callable[[], AbstractContextManager[Mapping[str, str]]]
    ) -> None:
        self._share = Share(processes=processes, world_size=processes)
        self._store = store

    def start(self, job: RankJob, control: Control) -> list[RankEnd]:
        """Start all ranks once; return how each ended, in the order of ranks.

        Raises:
            RunInterruptedError: Somebody has asked to stop already.
            EnvironmentUnsuitableError: A process could not be started.
        """
        # Ranks would import torch for seconds, only to save what was saved when they ended last.
        control.raise_if_cancelled()
        logger.info("Starting %s.", count(self._share.processes, "rank"))
        with self._store() as place, own_folder(RANKS_FOLDER) as folder:
            start = Start(
                command=job.command,
                share=self._share,
                folder=folder,
                logs=job.logs,
                # What ranks say to each other stays on this machine, whatever its name leads to.
                environment={**interface_variables(_LOOPBACK), **job.environment, **place},
            )
            return watch(start, control=control, patience=job.patience)

    def change(self, _ends: Sequence[RankEnd]) -> str:
        """Return nothing: this machine neither comes nor goes."""
        return ""
