"""Batches of whatever waits: a thread that asks the network, as long as there is something to ask.

While the network works, pictures collect; when it is free, it takes those that wait. So a picture
that comes alone is answered at once, and under load the batches grow by themselves.

Legend: B batch, C channels, H height, W width, K classes.
"""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from imageloom.errors import ImageloomError, NaNError, any_error

Row = npt.NDArray[np.float32]
"""The probabilities of one picture: float32 [K]."""

_HINT: Final = "The server's output says more. Is the device's memory full? Try --batch-size."
_BROKEN_AFTER: Final = 3  # batches in a row: then somebody should start it anew


@dataclass(frozen=True)
class BatchFigures:
    """What a batch took.

    Attributes:
        pictures: How many it held.
        seconds: In the network.
    """

    pictures: int
    seconds: float


@dataclass(frozen=True)
class _Waiting:
    image_HWC: torch.Tensor
    answer: "Future[Row]"


class Batcher:
    """Takes pictures from any thread, and answers each by a future.

    Args:
        compute: Returns float32 [B, K] for uint8 [B, C, H, W], channels last in memory.
        batch_size: Most pictures in a batch.
        on_batch: Told of each batch, in the thread of the network.
    """

    def __init__(
        self,
        compute: Callable[[torch.Tensor], npt.NDArray[np.float32]],
        *,
        batch_size: int,
        on_batch: Callable[[BatchFigures], None],
    ) -> None:
        self._compute = compute
        self._batch_size = batch_size
        self._on_batch = on_batch
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._failures = 0
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name="imageloom-network", daemon=True)
        self._thread.start()

    @property
    def is_broken(self) -> bool:
        """Whether the network has failed several times in a row."""
        return self._failures >= _BROKEN_AFTER

    @property
    def waiting(self) -> int:
        """How many pictures wait."""
        return self._waiting.qsize()

    def submit(self, image_HWC: torch.Tensor) -> "Future[Row]":
        """Let a picture wait for its turn; a future that is cancelled in time costs nothing.

        Args:
            image_HWC: uint8, 0 to 255, of the network's size.
        """
        answer: Future[Row] = Future()
        self._waiting.put(_Waiting(image_HWC, answer))
        return answer

    def close(self) -> None:
        """Answer what waits, and end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        while not self._is_closed:
            batch = self._next_batch()
            if batch:
                self._answer(batch)

    def _next_batch(self) -> list[_Waiting]:
        """Wait for a picture, and return it with those that wait beside it."""
        batch: list[_Waiting] = []
        while len(batch) < self._batch_size:
            try:
                one = self._waiting.get(block=not batch)
            except queue.Empty:
                break
            if one is None:
                self._is_closed = True
                break
            if one.answer.set_running_or_notify_cancel():
                batch.append(one)
        return batch

    def _answer(self, batch: list[_Waiting]) -> None:
        try:
            images_BCHW = torch.stack([one.image_HWC for one in batch]).permute(0, 3, 1, 2)
            began = time.perf_counter()
            rows_BK = self._compute(images_BCHW)
        except Exception as problem:  # noqa: BLE001 - told to each who asked; the next may do well
            self._failures += 1
            for one in batch:
                one.answer.set_exception(_failure(problem))
            return
        self._failures = 0
        figures = BatchFigures(len(batch), time.perf_counter() - began)
        self._on_batch(figures)
        for one, row_K in zip(batch, rows_BK, strict=True):
            if np.isfinite(row_K).all():
                one.answer.set_result(row_K)
            else:
                one.answer.set_exception(_no_number())


def _failure(problem: Exception) -> ImageloomError:
    known = any_error(problem, _HINT)
    if known is not problem:
        known.__cause__ = problem
    return known


def _no_number() -> NaNError:
    return NaNError(
        "The network gave no number for a picture.",
        hint="Try --precision float32. If that does not help, the model is damaged.",
        reason="not-finite",
    )
