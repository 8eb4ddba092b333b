"""What the processes of a run tell each other; with one process every answer is its own.

One process joins nothing and opens no port. Of several, all must call the same methods in the same
order: each call ends when the last of them has made it.
"""

import contextlib
import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

import torch
from torch import nn

from imageloom.distributed.lost_peers import LOST_REASON, SILENT_REASON, reason_of_loss
from imageloom.distributed.ranks import ALONE, Ranks
from imageloom.errors import (
    EnvironmentUnsuitableError,
    ImageloomError,
    TimeoutOccuredError,
    WorkerLostError,
    library_text,
)
from imageloom.system.compiler_left_out import asked_for_gradient_buckets, leave_compiler_out
from imageloom.system.wording import some

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

    from imageloom.distributed.store import Store

TIMEOUT_VARIABLE: Final = "IMAGELOOM_RANK_TIMEOUT_S"
DEFAULT_TIMEOUT_S: Final = 300.0


@dataclass(frozen=True)
class Group:
    """The processes that train together, as one of them sees them.

    Attributes:
        ranks: Which of them this is.
        gradients: Where gradients are exchanged; None is torch's default group.
        control: Where all else is exchanged; likewise.
    """

    ranks: Ranks = ALONE
    gradients: "ProcessGroup | None" = None
    control: "ProcessGroup | None" = None

    def gather(self, values: Sequence[float]) -> list[list[float]]:
        """Return the values of every process, in the order of ranks, the same to all.

        Args:
            values: float64 numbers, equally many in every process.
        """
        if self.ranks.is_alone:
            return [list(values)]
        import torch.distributed as dist

        own = torch.tensor(values, dtype=torch.float64)
        rows = [torch.empty_like(own) for _ in range(self.ranks.world_size)]
        dist.all_gather(rows, own, group=self.control)
        return [row.tolist() for row in rows]

    def gather_bytes(self, content: bytes) -> list[bytes]:
        """Return the content of every process, in the order of ranks, the same to all."""
        if self.ranks.is_alone:
            return [content]
        import torch.distributed as dist

        lengths = [int(row[0]) for row in self.gather([len(content)])]
        padded = torch.zeros(max(1, *lengths), dtype=torch.uint8)
        padded[: len(content)] = torch.tensor(list(content), dtype=torch.uint8)
        rows = [torch.empty_like(padded) for _ in lengths]
        dist.all_gather(rows, padded, group=self.control)
        return [row[:length].numpy().tobytes() for row, length in zip(rows, lengths, strict=True)]

    def any(self, *flags: bool) -> list[bool]:
        """Return for each flag whether it is set in any process."""
        rows = self.gather([float(flag) for flag in flags])
        return [any(column) for column in zip(*rows, strict=True)]

    def barrier(self) -> None:
        """Wait until every process is here."""
        self.gather([0.0])

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return the network as it must be called for gradients to be means over all processes.

        Its parameters are those of ``network``, which become the first process's. Buffers, such as
        the running statistics of BatchNorm, stay each process's own until ``share_buffers``.
        """
        if self.ranks.is_alone:
            return network
        from torch.nn.parallel import DistributedDataParallel

        accepted = inspect.signature(DistributedDataParallel).parameters
        new_name = "forward_sync_buffers"  # torch 2.15 warns of the old one, 2.10 knows no other
        name = new_name if new_name in accepted else "broadcast_buffers"
        make = cast(Callable[..., nn.Module], DistributedDataParallel)
        leave_compiler_out(DistributedDataParallel)
        with asked_for_gradient_buckets():
            wrapped = make(network, process_group=self.gradients, **{name: False})
        _settle_buckets(wrapped, network)
        return wrapped

    def share_buffers(self, network: nn.Module) -> None:
        """Give every process the first one's buffers, so that all score alike."""
        if self.ranks.is_alone:
            return
        import torch.distributed as dist

        for buffer in network.buffers():
            dist.broadcast(buffer, src=0, group=self.gradients)


def without_reduction(wrapped: nn.Module) -> AbstractContextManager[object]:
    """Return the context of a backward pass whose gradients are only added up, not yet shared."""
    no_sync = getattr(wrapped, "no_sync", None)
    return contextlib.nullcontext() if no_sync is None else no_sync()


def _settle_buckets(wrapped: nn.Module, network: nn.Module) -> None:
    """Let DistributedDataParallel choose now, and for good, in which order it adds gradients.

    It does so once, by the order in which the gradients of the first backward pass are ready. Of
    more than two processes the order of the additions, and so the last bits, depend on it: a run
    that begins anew in the middle would take its first step in another order than one that did
    not. Here a pass whose gradients are zero and thrown away comes before all others.

    Source:
        torch/csrc/distributed/c10d/reducer.cpp (rebuild_buckets)
    """
    learning = [one for one in network.parameters() if one.requires_grad]
    network.forward = lambda: torch.stack([one.sum() for one in learning]).sum() * 0.0
    try:
        wrapped().backward()
    finally:
        del network.forward
    network.zero_grad(set_to_none=True)


@contextlib.contextmanager
def joined_group(
    ranks: Ranks, device: torch.device, store: "Store | None" = None
) -> Iterator[Group]:
    """Meet the other processes and part.

    Where somebody has made torch's default group already, it is joined and stays; what we make
    inside it goes.

    Args:
        ranks: Which of them this is.
        device: Where it computes: on a GPU gradients travel by NCCL, otherwise by gloo.
        store: Where they meet; by default at the address that torch elastic's variables name.

    Raises:
        TimeoutOccuredError: One did not come, or stopped answering, for
            ``IMAGELOOM_RANK_TIMEOUT_S`` seconds, by default 300.
        WorkerLostError: One has ended.
        EnvironmentUnsuitableError: Two were given the same GPU, or torch's default group is one of
            other processes.
    """
    if ranks.is_alone:
        yield Group()
        return
    import torch.distributed as dist

    timeout = timedelta(seconds=_timeout_s())
    with lost_ranks_named(ranks):
        is_ours = not dist.is_initialized()
        # gloo comes first: it gives up on a process that does not come, and NCCL's start does not.
        control = None if is_ours else _gloo_group(ranks, timeout)
        if is_ours and store is None:
            dist.init_process_group("gloo", timeout=timeout)
        elif is_ours:
            dist.init_process_group(
                "gloo",
                timeout=timeout,
                store=store,
                rank=ranks.rank,
                world_size=ranks.world_size,
            )
        on_gpu = device.type == "cuda"
        met = Group(ranks, control=control)
        gradients = _nccl_group(met, device, timeout) if on_gpu else control
        try:
            yield Group(ranks, gradients, control)
        except BaseException:
            # After an error NCCL would wait here for ranks that no longer come, and the error would
            # not be told. The end of the process frees what it holds.
            if not on_gpu:
                dist.destroy_process_group(control)
            raise
        if on_gpu and not is_ours:
            dist.destroy_process_group(gradients)
        dist.destroy_process_group(control)  # None is the default group, with all that are in it


def _refuse_shared_gpus(group: Group, device: torch.device) -> None:
    name = str(torch.cuda.get_device_properties(device).uuid)
    names = group.gather_bytes(name.encode())
    equal = [rank for rank, one in enumerate(names) if one == name.encode()]
    if len(equal) > 1:
        raise EnvironmentUnsuitableError(
            f"Ranks {some([str(rank) for rank in equal])} of {len(names)} were given the same GPU, "
            f"{device} ({name}), but each needs its own.",
            hint="Start at most as many processes on a machine as it has GPUs, and number them: "
            "LOCAL_RANK of torchrun.",
            reason="shared-gpu",
            details={"ranks": [str(rank) for rank in equal]},
        )


def existing_place() -> tuple[int, int] | None:
    """Return rank and world size in the group that somebody made in this process; None if none."""
    import torch.distributed as dist

    if not dist.is_available() or not dist.is_initialized():
        return None
    return dist.get_rank(), dist.get_world_size()


def _gloo_group(ranks: Ranks, timeout: timedelta) -> "ProcessGroup":
    import torch.distributed as dist

    found = existing_place()
    if found != (ranks.rank, ranks.world_size):
        assert found is not None, "it was there a moment ago"
        raise EnvironmentUnsuitableError(
            f"This process is rank {ranks.rank} of {ranks.world_size}, but torch.distributed was "
            f"initialised in it as rank {found[0]} of {found[1]}.",
            hint="Initialise it for the processes that train, or not at all: it is done then.",
            reason="other-group",
        )
    group = dist.new_group(backend="gloo", timeout=timeout)
    assert not isinstance(group, int), "torch's mark for who is not in the group"
    return group


def _nccl_group(met: Group, device: torch.device, timeout: timedelta) -> "ProcessGroup":
    import torch.distributed as dist

    _refuse_shared_gpus(met, device)
    torch.cuda.set_device(device)
    group = dist.new_group(backend="nccl", timeout=timeout, device_id=device)
    assert not isinstance(group, int), "torch's mark for who is not in the group"
    return group


@contextlib.contextmanager
def lost_ranks_named(ranks: Ranks) -> Iterator[None]:
    """Raise what a missing process makes torch say as an error of ours."""
    try:
        yield
    except RuntimeError as problem:
        named = _lost_rank(problem, ranks)
        if named is None:
            raise
        raise named from problem


def _lost_rank(problem: Exception, ranks: Ranks) -> ImageloomError | None:
    reason, first_line = reason_of_loss(problem), library_text(problem).partition("\n")[0]
    if reason == SILENT_REASON:
        return TimeoutOccuredError(
            f"Rank {ranks.rank} of {ranks.world_size} waited {_timeout_s():g} s for another rank: "
            f"{first_line}",
            hint=f"A rank hangs or its machine cannot be reached. {TIMEOUT_VARIABLE} sets how "
            "long to wait.",
            reason=reason,
        )
    if reason == LOST_REASON:
        return WorkerLostError(
            f"Rank {ranks.rank} of {ranks.world_size} lost another rank: {first_line}",
            hint="The other rank's log says why it ended.",
            reason=reason,
        )
    return None


def _timeout_s() -> float:
    text = os.environ.get(TIMEOUT_VARIABLE) or str(DEFAULT_TIMEOUT_S)
    try:
        timeout_s = float(text)
    except ValueError:
        timeout_s = 0.0
    if not 0 < timeout_s < 1e6:
        raise EnvironmentUnsuitableError(
            f"{TIMEOUT_VARIABLE} is {text!r}, but must be a number of seconds above 0.",
            hint=f"The default is {DEFAULT_TIMEOUT_S:g}.",
            reason="bad-timeout",
        )
    return timeout_s
