"""One optimizer step: forward, backward, check, update.

Legend: B batch, C channels, H height, W width, K classes.
"""

import contextlib
import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import torch
from torch import nn

from imageloom.distributed.exchange_clock import ExchangeClock
from imageloom.distributed.group import Group, without_reduction
from imageloom.metrics import ScoreSums, joined_sums
from imageloom.models.compute import Compute, is_out_of_memory
from imageloom.training.batch_parts import BatchParts
from imageloom.training.micro_batch import MicroBatch

Kind = Literal["NaN", "infinite"]
What = Literal["loss", "gradient"]
Problem = tuple[Kind, What]
# By their place, because processes exchange numbers.
_PROBLEMS: Final[tuple[Problem | None, ...]] = (
    None,
    ("NaN", "loss"),
    ("infinite", "loss"),
    ("NaN", "gradient"),
    ("infinite", "gradient"),
)


class NonFiniteError(Exception):
    """Loss or gradient is not finite; the caller knows epoch, step and rate and tells the user."""

    def __init__(self, kind: Kind, what: What) -> None:
        super().__init__(f"The {what} is {kind}")
        self.kind = kind
        self.what = what


class _TooLargeError(Exception):
    """Memory ran out while so many pictures passed the network."""

    def __init__(self, images: int) -> None:
        super().__init__(f"Memory ran out with {images} pictures")
        self.images = images


@dataclass(frozen=True)
class Stepper:
    """What a step needs and does not change: network, loss, optimizer, device, processes.

    Attributes:
        network: The network itself, with the names that checkpoints and models use.
        reducing: The network as ``group.wrap`` returned it; None with one process.
        exchange: Measures the waits for other processes; None with one process.
        parts: Cuts batches for which memory does not suffice, with one process; where None, that
            is an error.
    """

    network: nn.Module
    criterion: nn.Module
    optimizer: torch.optim.Optimizer
    compute: Compute
    group: Group = field(default_factory=Group)
    reducing: nn.Module | None = None
    exchange: ExchangeClock | None = None
    parts: BatchParts | None = None

    def take(
        self, batches: Iterable[MicroBatch], wishes: Callable[[], Sequence[bool]] = tuple
    ) -> tuple[ScoreSums, list[bool]]:
        """Take one optimizer step over the joined batches of all processes.

        The gradient is that of the mean loss over all pictures of the step, however they are cut
        into batches and dealt out (BatchNorm, which sees one batch at a time, excepted).

        Args:
            batches: Of this process, at least one.
            wishes: What this process wants. It is asked when the gradients are there, because
                processes then tell each other of the step, and more would be an exchange more.

        Returns:
            The sums over the step's pictures, the same in every process; ``loss`` is the training
            objective (with class weights, label smoothing and what was blended in), ``top5`` is not
            counted, and of blended pictures the larger part is to be named. And for
            each wish whether any process has it.

        Raises:
            NonFiniteError: Loss or gradient is NaN or infinite. Parameters, optimizer and
                BatchNorm's running statistics are then as before the step.
        """
        self._buffers.keep()
        self.optimizer.zero_grad(set_to_none=True)
        passed = self._gradients(batches)
        sums, problem = _read(passed, self._gradient_norm())
        sums, problem, wished = self._over_all_processes(sums, problem, wishes())
        if problem:
            self._buffers.put_back()
            self.optimizer.zero_grad(set_to_none=True)
            raise NonFiniteError(*problem)
        self.optimizer.step()
        return sums, wished

    @functools.cached_property
    def _buffers(self) -> "_Buffers":
        return _Buffers(self.network)

    def _gradients(self, batches: Iterable[MicroBatch]) -> list["_Passed"]:
        """Add up the gradients of all batches, in parts where memory does not suffice."""
        parts = self.parts
        if parts is None:
            return self._added_up(batches)
        taken: list[MicroBatch] = []
        to_come = _noted(batches, taken)
        while True:
            again = list(taken)
            try:
                return self._added_up(
                    part for batch in itertools.chain(again, to_come) for part in parts.of(batch)
                )
            except _TooLargeError as problem:
                if not parts.cut_more(problem.images) and problem.__cause__ is not None:
                    raise problem.__cause__  # noqa: B904 - it is the cause
            # Only here what had been computed is let go.
            self._buffers.put_back()
            self.optimizer.zero_grad(set_to_none=True)
            if self.compute.is_gpu:
                torch.cuda.empty_cache()

    def _added_up(self, batches: Iterable[MicroBatch]) -> list["_Passed"]:
        passed: list[_Passed] = []
        for batch in batches:
            try:
                passed.append(self._backward(batch))
            except RuntimeError as error:
                if self.parts is None or not is_out_of_memory(error):
                    raise
                raise _TooLargeError(len(batch.labels_B)) from error
        return passed

    def _backward(self, batch: MicroBatch) -> "_Passed":
        network = self.reducing or self.network
        with contextlib.nullcontext() if batch.ends_step else without_reduction(network):
            with self.compute.autocast():
                logits_BK = network(batch.inputs_BCHW)
            loss, part_of_step = self._losses(logits_BK.float(), batch)
            # Gradients become the mean over processes, and the step's is their sum.
            torch.autograd.backward(part_of_step * self.group.ranks.world_size)
        correct = num_right(logits_BK, batch.main_labels)
        if self.exchange is not None and batch.ends_step:
            self.exchange.add_backward()
        return _Passed(
            images=len(batch.labels_B) if batch.share > 0 else 0,
            loss_and_right=torch.stack([loss.detach().double(), correct.double()]),
        )

    def _losses(
        self, logits_BK: torch.Tensor, batch: MicroBatch
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss of a batch, and what it adds to that of the step."""
        loss = self.criterion(logits_BK, batch.labels_B)
        other = batch.mixed_in
        if other is None:
            return loss, loss * batch.share
        others_loss = self.criterion(logits_BK, other.labels_B)
        own = 1.0 - other.part
        return (
            own * loss + other.part * others_loss,
            loss * (own * batch.share) + others_loss * (other.part * other.share),
        )

    def _gradient_norm(self) -> torch.Tensor:
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        return torch.nn.utils.get_total_norm(gradients)

    def _over_all_processes(
        self, sums: ScoreSums, problem: Problem | None, wishes: Sequence[bool]
    ) -> tuple[ScoreSums, Problem | None, list[bool]]:
        """Return the sums over all processes, the first one's problem, and what any wishes."""
        # Of each process: four sums, its problem's place, its wishes.
        own = [*sums.as_numbers(), _PROBLEMS.index(problem), *wishes]
        with contextlib.nullcontext() if self.exchange is None else self.exchange.waiting():
            rows = self.group.gather(own)
        problems = [_PROBLEMS[int(row[4])] for row in rows]
        wished = [any(column) for column in zip(*(row[5:] for row in rows), strict=True)]
        return joined_sums(row[:4] for row in rows), next(filter(None, problems), None), wished


@dataclass(frozen=True)
class _Passed:
    """What is known of a batch that passed forwards and backwards.

    Attributes:
        images: How many of its pictures count.
        loss_and_right: float64 [2], still on the device: its loss, and how many are named right.
    """

    images: int
    loss_and_right: torch.Tensor


def _read(passed: Sequence[_Passed], norm: torch.Tensor) -> tuple[ScoreSums, Problem | None]:
    """Return the sums over a step's batches and the first thing that is not finite.

    All numbers cross at once: at each crossing a GPU runs out of work while the program waits.
    """
    on_device = [norm.double().reshape(1), *(batch.loss_and_right for batch in passed)]
    norm_value, *values = torch.cat(on_device).tolist()
    sums, problem = ScoreSums(), None
    for batch, loss, right in zip(passed, values[::2], values[1::2], strict=True):
        if batch.images:
            problem = problem or _problem(loss, "loss")
            sums += ScoreSums(images=batch.images, loss=loss * batch.images, top1=int(right))
    return sums, problem or _problem(norm_value, "gradient")


class _Buffers:
    """A network's buffers, such as BatchNorm's running statistics, and what they held before.

    Forward passes change them in place, and whether a step counts is known only later. Copies that
    stay cost less than new ones in each step (benchmarks/results/step_exchange_cpu2_202611.md).
    """

    def __init__(self, network: nn.Module) -> None:
        # A GPU copies tensors of one type together.
        self._lists: dict[torch.dtype, list[torch.Tensor]] = {}
        for buffer in network.buffers():
            self._lists.setdefault(buffer.dtype, []).append(buffer)
        self._kept = {
            dtype: [buffer.clone() for buffer in buffers] for dtype, buffers in self._lists.items()
        }

    def keep(self) -> None:
        for dtype, buffers in self._lists.items():
            torch._foreach_copy_(self._kept[dtype], buffers)

    def put_back(self) -> None:
        for dtype, buffers in self._lists.items():
            torch._foreach_copy_(buffers, self._kept[dtype])


def _noted(batches: Iterable[MicroBatch], taken: list[MicroBatch]) -> Iterator[MicroBatch]:
    for batch in batches:
        taken.append(batch)
        yield batch


def num_right(logits_BK: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Count the pictures that are named right, on the device.

    Args:
        logits_BK: Network output.
        labels: int64 [B], the class of each; or float32 [B, K], 1 for each label that a picture
            has, all of which and no other must have a probability of at least 0.5.
    """
    if labels.dim() == 1:
        return (logits_BK.argmax(dim=1) == labels).sum()
    return ((logits_BK >= 0) == (labels > 0)).all(dim=1).sum()


def _problem(value: float, what: What) -> Problem | None:
    if math.isfinite(value):
        return None
    return ("NaN" if math.isnan(value) else "infinite", what)
