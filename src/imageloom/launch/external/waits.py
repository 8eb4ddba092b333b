"""Waiting for other ranks, as long as they may still come."""

import time
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from imageloom.distributed.board import Board
from imageloom.distributed.lost_peers import LOST_REASON
from imageloom.errors import WorkerLostError
from imageloom.events import CancelToken
from imageloom.launch.external.verdict import ANSWER, answer_of

_LOOK_S: Final = 0.2
_SILENT_S: Final = 60.0  # of a rank that is waited for: no library keeps all threads out so long


class Waits:
    """How one rank waits for others.

    Args:
        board: Where they say what they do.
        cancel: Ends the waiting.
    """

    def __init__(self, board: Board, cancel: CancelToken) -> None:
        self._board = board
        self._cancel = cancel

    def meet_at(self, word: str, content: Mapping[str, JsonValue]) -> None:
        """Wait until all ranks are at the same place."""
        self._board.tell(word, content)
        while self._board.told(word) < self._board.world_size:
            if self._board.rank == 0:
                for rank in self._board.silent(word):
                    self._require_life(rank)
            self.go_on()

    def go_on(self) -> None:
        """Wait a moment for another rank, if it may still come.

        Raises:
            RunInterruptedError: Somebody asked this rank or another one to stop.
            WorkerLostError: Another rank has ended, or rank 0 shows no life.
        """
        self._cancel.raise_if_set()
        if self._board.told(ANSWER):
            self.raise_for_answers()
        if self._board.rank:
            self._require_life(0)
        time.sleep(_LOOK_S)

    def _require_life(self, rank: int) -> None:
        if self._board.silent_for_s(rank) > _SILENT_S:
            raise WorkerLostError(
                f"Rank {rank} of {self._board.world_size} has shown no life for {_SILENT_S:g} s.",
                hint="It was killed or hangs, or its machine was lost.",
                reason=LOST_REASON,
            )

    def raise_for_answers(self) -> None:
        """Raise if a rank has ended and its work was not done; as ``go_on``."""
        for rank in range(self._board.world_size):
            answer = answer_of(self._board, rank)
            if answer is None or answer.state == "completed":
                continue
            if answer.state == "interrupted":
                self._cancel.set(answer.reason or "another rank")
                self._cancel.raise_if_set()
            raise WorkerLostError(
                f"Rank {rank} of {self._board.world_size} has ended.",
                hint="Its log says why.",
                reason=LOST_REASON,
            )
