"""Whether this machine's memory holds a training, told before any of it is taken.

The kernel ends a process that takes more than there is without a word, so what cannot fit is
refused and what will hardly fit is said. Copies of files, which the kernel gives up first, are not
counted.
"""

import ctypes
import dataclasses
import gc
import math
from dataclasses import dataclass
from typing import Final

from imageloom.errors import ModuleOutOfMemoryError
from imageloom.events import EventSink, Notice
from imageloom.models.architecture import build_network
from imageloom.models.compute import Compute, choose_compute, choose_workers
from imageloom.models.shapes_only import shapes_only
from imageloom.models.step_memory import values_kept_for_backward
from imageloom.system.machine import HostMemory, host_memory, memory_in_use_bytes
from imageloom.system.wording import mebibytes
from imageloom.training.assemble import reader_batch_bytes
from imageloom.training.freeze import freeze
from imageloom.training.run.record import TrainingRecord

# The optimizer's numbers per weight that learns: momentum, or AdamW's two means.
OPTIMIZER_COPIES: Final = {"sgd": 1, "adamw": 2}
_MIB: Final = 2**20
# A process that has imported torch holds 400 MiB (torch 2.15 for CUDA on Linux), and less with a
# build for CPUs.
_PROCESS_BYTES: Final = 400 * _MIB
_LEAST_PROCESS_BYTES: Final = 64 * _MIB
# Of what this process holds now, some may be free pieces inside what Python keeps.
_LEAST_STAYING_FRACTION: Final = 0.75
# Measured in float32 on 2 CPU cores, beside weights, gradients and momentum: resnet18 took 523 MiB
# at 224 px in batches of 16, of which 263 are kept for the backward pass, and 205 (86) at 64 px in
# batches of 64; densenet121 1,123 (935) at 224 px in batches of 8.
_WORKING_BYTES: Final = 128 * _MIB
_WORKING_FRACTION: Final = 0.5
# A reader shares most of its memory with the process that it was forked from.
_READER_BYTES: Final = 32 * _MIB
_READERS_PER_WORKER: Final = 2  # one for training pictures, one for validation pictures
_BATCHES_PER_READER: Final = 3


@dataclass(frozen=True)
class StepSize:
    """What one process's part of a training holds, in numbers.

    Attributes:
        weights: Parameters and buffers.
        learning: Those of them that learn.
        kept: Kept for the backward pass of a batch, at least.
        optimizer_copies: The optimizer's numbers for each that learns.
        bytes_per_kept: Of the arithmetic; weights take 4.
        takes_steps: Whether there is more than one step, so that the optimizer's numbers are there
            while a forward pass ends.
    """

    weights: int
    learning: int
    kept: int
    optimizer_copies: int
    bytes_per_kept: int = 4
    takes_steps: bool = True

    @property
    def least_bytes(self) -> int:
        """What is certainly there at once: when a forward pass ends, or when a backward pass does.

        Gradients are made while what the forward pass kept is given up, so they are not added.
        """
        copies = 4 * self.learning * self.optimizer_copies
        forward = self.bytes_per_kept * self.kept + (copies if self.takes_steps else 0)
        return 4 * self.weights + max(forward, 4 * self.learning + copies)

    @property
    def likely_bytes(self) -> int:
        """What is probably there at once, with what single operations need for themselves."""
        kept = self.bytes_per_kept * self.kept
        moving = 4 * self.learning * (1 + self.optimizer_copies)
        return 4 * self.weights + moving + round((1 + _WORKING_FRACTION) * kept) + _WORKING_BYTES


@dataclass(frozen=True)
class Training:
    """What trains on this machine.

    Attributes:
        step: Of one process; of the host's memory only, so nothing is kept there by a GPU's.
        batch_size: Pictures of a batch.
        processes: How many train; one is this process itself, several are started by it.
        workers: Of each.
        reader_batch_bytes: A batch for training and one for validation, as readers make them.
    """

    step: StepSize
    batch_size: int
    processes: int
    workers: int
    reader_batch_bytes: int

    def least_bytes(self, base_bytes: int) -> int:
        """Return what this process and those it starts certainly hold at once.

        Args:
            base_bytes: What this process holds now.
        """
        base = int(_LEAST_STAYING_FRACTION * base_bytes)
        if self.processes == 1:
            return base + self.step.least_bytes
        return base + self.processes * (_LEAST_PROCESS_BYTES + self.step.least_bytes)

    def more_bytes(self, held_bytes: int) -> int:
        """Return what they probably take beside what this process holds now.

        Args:
            held_bytes: That; less than all of torch where not every part of it was used yet.
        """
        still_to_come = _PROCESS_BYTES - (held_bytes if self.processes == 1 else 0)
        own = self.step.likely_bytes + max(0, still_to_come)
        readers = 0
        if self.workers:
            each = _READERS_PER_WORKER * _READER_BYTES
            each += _BATCHES_PER_READER * self.reader_batch_bytes
            readers = _PROCESS_BYTES + self.workers * each
        return self.processes * (own + readers)

    def without_workers(self) -> "Training":
        """Return the same training, with pictures read by the processes that train."""
        return dataclasses.replace(self, workers=0)

    def with_batch_size(self, batch_size: int) -> "Training":
        """Return the same training in smaller batches; what is kept shrinks with them."""
        kept = math.ceil(self.step.kept * batch_size / self.batch_size)
        return dataclasses.replace(
            self,
            step=dataclasses.replace(self.step, kept=kept),
            batch_size=batch_size,
            reader_batch_bytes=math.ceil(self.reader_batch_bytes * batch_size / self.batch_size),
        )


def require_memory(
    record: TrainingRecord, *, processes_here: int, base_bytes: int, on_event: EventSink
) -> None:
    """Refuse a training that cannot fit into this machine's memory, and tell what hardly will.

    Args:
        record: Of the run, as ``run.json`` holds it or will hold it.
        processes_here: How many of its processes train on this machine.
        base_bytes: What this process held before it made anything for the run.
        on_event: Hears of a need that is probably above what is left.

    Raises:
        ModuleOutOfMemoryError: What training takes at least is above the machine's memory, or
            above the limit of our control group; the message has both numbers.
    """
    memory = host_memory()
    if memory is None:
        return
    training = training_of(record, processes_here)
    least = training.least_bytes(base_bytes)
    if least > memory.limit_bytes:
        raise _cannot_fit(training, least, memory)
    held = memory_in_use_bytes()
    more = training.more_bytes(held)
    if more > memory.available_bytes:
        on_event(
            Notice(
                "warning",
                f"Training will take about {mebibytes(more)} more memory, but "
                f"{mebibytes(memory.available_bytes)} are left {_of_what(memory)}. What takes more "
                f"is killed without a word. {_advice(training, memory, held)}",
            )
        )


def base_bytes() -> int:
    """Return what this process holds and needs, once it has given back what is free in it.

    Otherwise what an earlier training in it left behind would be counted, and used again.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc
    if trim is not None:
        trim(0)
    return memory_in_use_bytes()


def training_of(record: TrainingRecord, processes_here: int) -> Training:
    """Return what a run, by its record, lets this machine do."""
    params = record.params
    compute = choose_compute(params.device, params.precision)
    reader_bytes = reader_batch_bytes(params, record.resolved.image_size)
    workers, _ = choose_workers(params.workers, compute, reader_bytes, processes_here)
    return Training(
        step=_step_size(record, compute),
        batch_size=params.pictures_per_batch,
        processes=processes_here,
        workers=workers,
        reader_batch_bytes=reader_bytes,
    )


def _step_size(record: TrainingRecord, compute: Compute) -> StepSize:
    params, architecture = record.params, record.architecture
    with shapes_only():
        network = build_network(architecture, len(record.data.training.classes))
    freeze(network, architecture, params)
    weights = sum(one.numel() for one in (*network.parameters(), *network.buffers()))
    if compute.is_gpu:  # the network is made on the CPU; all that learning takes is the GPU's
        return StepSize(weights=weights, learning=0, kept=0, optimizer_copies=0)
    return StepSize(
        weights=weights,
        learning=sum(one.numel() for one in network.parameters() if one.requires_grad),
        kept=values_kept_for_backward(
            network, params.pictures_per_batch, record.resolved.image_size
        ),
        optimizer_copies=OPTIMIZER_COPIES[params.optimizer],
        bytes_per_kept=2 if compute.precision == "bfloat16" else 4,
        takes_steps=params.epochs * record.resolved.steps_per_epoch > 1,
    )


def _cannot_fit(training: Training, least: int, memory: HostMemory) -> ModuleOutOfMemoryError:
    return ModuleOutOfMemoryError(
        f"Training needs at least {mebibytes(least)} of memory, but there are "
        f"{mebibytes(memory.limit_bytes)} {_of_what(memory)}.",
        hint=_advice(training, memory, memory_in_use_bytes()),
        reason="host-memory",
        details={"needed_bytes": least, "limit_bytes": memory.limit_bytes},
    )


def _of_what(memory: HostMemory) -> str:
    if memory.is_limited:
        return "within the limit of this control group (a container, or a scheduler's job)"
    return "on this machine"


def _advice(training: Training, memory: HostMemory, held: int) -> str:
    """Return what would probably fit, the smallest change first, or what helps anyway."""
    if training.processes > 1:
        return (
            "Fewer processes per node (--processes-per-node), fewer --workers, a smaller "
            "--batch-size or a smaller --image-size take less."
        )
    if training.workers and training.without_workers().more_bytes(held) <= memory.available_bytes:
        return "--workers 0 will probably fit: it reads pictures in the process that trains."
    batch_size = training.batch_size // 2
    while batch_size > 1:
        smaller = training.without_workers().with_batch_size(batch_size)
        if smaller.more_bytes(held) <= memory.available_bytes:
            with_it = " --workers 0" if training.workers else ""
            return (
                f"--batch-size {batch_size}{with_it} will probably fit; --accumulation-steps "
                "keeps the number of pictures per step."
            )
        batch_size //= 2
    return "A smaller --image-size or a smaller network takes less, or give it more memory."
