"""Whose error it was, found out by the ranks themselves: nobody else watches them all.

What a rank says counts; one that says nothing and shows no life is the one that was lost.
"""

import contextlib
import time
from pathlib import Path
from typing import Final

from imageloom.distributed.board import BEAT_S, Board
from imageloom.errors import ImageloomError, WorkerLostError
from imageloom.events import CancelToken
from imageloom.launch.local.blame import RankEnd
from imageloom.launch.local.report import Answer
from imageloom.launch.local.verdict import judge
from imageloom.training.run.directory import RunDirectory

ANSWER: Final = "answer"  # the word under which ranks write on the board how they ended
BYE: Final = "bye"  # and that they need the board no more
_HEAR_S: Final = 6.0  # for the answers of ranks that live, and to find out which do not
_SILENT_S: Final = 4.0  # without a beat, of which there is one in a second
_OTHERS_S: Final = 1.0  # for other answers once a rank has told an error of its own
_LOOK_S: Final = 0.1


def tell_answer(board: Board, answer: Answer) -> None:
    """Write on the board how this rank ended.

    Raises:
        WorkerLostError: The board is gone.
    """
    board.tell(ANSWER, answer.model_dump(mode="json"))


def answer_of(board: Board, rank: int) -> Answer | None:
    """Return how a rank ended, or None if it has not told.

    Raises:
        WorkerLostError: The board is gone.
    """
    content = board.heard(ANSWER, rank)
    return None if content is None else Answer.model_validate(content)


def has_rank_0_answered(board: Board) -> bool:
    """Wait for the answer of rank 0 as long as it may need; return whether it came."""
    deadline = time.monotonic() + _HEAR_S
    try:
        while answer_of(board, 0) is None:
            if time.monotonic() > deadline or board.silent_for_s(0) > _SILENT_S:
                return False
            time.sleep(_LOOK_S)
    except WorkerLostError:
        return False
    return True


def first_error(board: Board, own: Answer, run: RunDirectory | None) -> ImageloomError | None:
    """Return the error of the rank that failed first; None if there was none.

    Waits until all others have answered or are found to be silent, a few seconds at most.

    Args:
        board: Where they answer.
        own: How this rank ended; it failed.
        run: The run directory, where there is one, which holds the ranks' logs.
    """
    logs = Path() if run is None else run.log.parent
    trouble = judge(_ends(board, own), logs, CancelToken(), ran_out_of_memory=False)
    if trouble is None:
        return None
    if run is None:
        del trouble.error.details["log"]
        trouble.error.hint = "What started the ranks may know more of it."
    return trouble.error


def _ends(board: Board, own: Answer) -> list[RankEnd]:
    answers: dict[int, Answer] = {board.rank: own}
    silent: set[int] = set()
    others = [rank for rank in range(board.world_size) if rank != board.rank]
    deadline = time.monotonic() + _HEAR_S
    try:
        while len({*answers, *silent}) < board.world_size and time.monotonic() < deadline:
            for rank in others:
                if rank not in answers and (answer := answer_of(board, rank)) is not None:
                    answers[rank] = answer
                    if answer.state == "failed" and not answer.blames_others:
                        deadline = min(deadline, time.monotonic() + _OTHERS_S)
            silent = {
                rank
                for rank in others
                if rank not in answers and board.silent_for_s(rank) > _SILENT_S
            }
            time.sleep(_LOOK_S)
    except WorkerLostError:
        # Rank 0 keeps the board, or what started rank 0 does.
        silent = {0} - {*answers}
    now = time.time()
    return [
        RankEnd(rank, now, None, answers.get(rank), fell_silent=rank in silent)
        for rank in range(board.world_size)
    ]


def see_off(board: Board) -> None:
    """Wait until the others that live need the board no more: this rank may be what keeps it.

    Raises:
        WorkerLostError: The board is gone.
    """
    others = [rank for rank in range(board.world_size) if rank != board.rank]
    deadline = time.monotonic() + _HEAR_S
    while board.told(BYE) < len(others) and time.monotonic() < deadline:
        if board.told(BYE) >= sum(board.silent_for_s(rank) <= _SILENT_S for rank in others):
            return
        time.sleep(_LOOK_S)


def wait_for_end_of_rank_0(board: Board) -> None:
    """Wait until rank 0 shows no more life, a few seconds at most."""
    deadline = time.monotonic() + _HEAR_S
    with contextlib.suppress(WorkerLostError):
        while board.silent_for_s(0) < 2 * BEAT_S and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
