"""Device and precision: where a network computes, in which arithmetic, and how pictures get there.

Legend: B batch, C channels, H height, W width.
"""

import contextlib
import functools
import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import nn

from imageloom.errors import (
    EnvironmentUnsuitableError,
    LessThanOrEqualToError,
    ParameterParsingError,
)
from imageloom.preprocessing import Normalisation
from imageloom.system.machine import available_cores, shared_memory_free_bytes

ChosenPrecision = Literal["float32", "bfloat16"]
# Each worker holds two batches ready and one in the making (DataLoader's prefetch factor).
_BATCHES_PER_WORKER: Final = 3
_MOST_WORKERS: Final = 16
# Torch's CPU allocator raises a plain RuntimeError that starts like this.
_CPU_ALLOCATOR: Final = "DefaultCPUAllocator"
_USABLE_FRACTION: Final = 0.8  # of the free shared memory; the rest is for others


@dataclass(frozen=True)
class Compute:
    """A device with an arithmetic.

    Attributes:
        device: Where tensors of the network live.
        precision: ``float32``, or ``bfloat16`` for matrix products and convolutions (autocast;
            weights, sums and losses stay float32).
    """

    device: torch.device
    precision: ChosenPrecision

    @property
    def is_gpu(self) -> bool:
        """Whether the device is a CUDA GPU."""
        return self.device.type == "cuda"

    def place(self, network: nn.Module) -> nn.Module:
        """Move a network to the device, with channels last in memory, and return it."""
        # channels_last with bfloat16: 13 -> 33 images/s for resnet18 at 224 px on 2 AVX-512 cores.
        return network.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def as_current(self) -> AbstractContextManager[object]:
        """Return the context in which what names no GPU, such as pinned memory, uses this one."""
        return torch.cuda.device(self.device) if self.is_gpu else contextlib.nullcontext()

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context in which forward passes run."""
        if self.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def inputs(self, images_BCHW: torch.Tensor, normalisation: Normalisation) -> torch.Tensor:
        """Return pictures as the network's input.

        Args:
            images_BCHW: uint8, 0 to 255, on the CPU, C = 3.
            normalisation: Mean and deviation for values scaled to 0..1.

        Returns:
            float32 of the same shape on the device, ``(x / 255 - mean) / std``, channels last.
            uint8 crosses to the device because it is a quarter of the bytes.
        """
        on_device = images_BCHW.to(self.device, non_blocking=True)
        values_BCHW = on_device.to(torch.float32, memory_format=torch.channels_last)
        # A row of pixels with their channels is one vector, and so are the constants: constants per
        # channel meet channels that are last one by one, which takes three times as long.
        mean_R, std_R = _constants_of_row(self.device, normalisation, images_BCHW.shape[-1])
        rows_BHR = values_BCHW.permute(0, 2, 3, 1).flatten(start_dim=2)
        rows_BHR.div_(255).sub_(mean_R).div_(std_R)
        return values_BCHW


@functools.lru_cache(maxsize=8)
def _constants_of_row(
    device: torch.device, normalisation: Normalisation, width: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and deviation of each value in a row of pixels with their channels."""
    mean_R = torch.tensor(normalisation.mean, device=device).repeat(width)
    std_R = torch.tensor(normalisation.std, device=device).repeat(width)
    return mean_R, std_R


def is_out_of_memory(problem: BaseException) -> bool:
    """Whether an operation of torch found too little memory, of a GPU or of the machine."""
    return isinstance(problem, torch.OutOfMemoryError) or _CPU_ALLOCATOR in str(problem)


def choose_compute(device: str, precision: str) -> Compute:
    """Return the device and arithmetic for the words of a parameter.

    Args:
        device: ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``auto`` (bfloat16 where it is faster), ``float32``, ``bfloat16``.

    Raises:
        ParameterParsingError: ``device`` is none of these words.
        EnvironmentUnsuitableError: A GPU is asked for and torch sees none.
        LessThanOrEqualToError: The GPU's number is above those present.
    """
    chosen = _choose_device(device)
    if precision == "auto":
        precision = "bfloat16" if is_faster_in_bfloat16(chosen) else "float32"
    return Compute(device=chosen, precision="bfloat16" if precision == "bfloat16" else "float32")


def is_faster_in_bfloat16(device: torch.device) -> bool:
    """Whether the device trains faster in bfloat16 than in float32.

    A GPU does where it need not emulate it, and a CPU with AMX. Where a CPU has AVX-512
    instructions for it but no AMX, networks take 1.2 to 1.3 times as long with them
    (docs/decisions/0036-bfloat16-on-a-cpu.md).
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)())


def choose_workers(
    asked: int, compute: Compute, batch_bytes: int, processes: int = 1, core_sharers: int = 1
) -> tuple[int, str]:
    """Return how many processes read pictures, and why fewer than one would expect.

    On a CPU the network itself keeps the cores busy, and they are free between its batches: threads
    of the process that trains read then, and no other process. A GPU gets all cores up to 16.

    Args:
        asked: The parameter; -1 chooses for the machine.
        compute: Where the network computes.
        batch_bytes: Size of one batch of uint8 pictures in shared memory.
        processes: How many on this machine ask the same, and so share its memory.
        core_sharers: How many of them share the cores that this one may use.

    Returns:
        The number, and a sentence if shared memory allows fewer than wanted, else "".
    """
    cores = available_cores() // core_sharers
    wanted = asked if asked >= 0 else min(_MOST_WORKERS, cores) if compute.is_gpu else 0
    room = shared_memory_free_bytes()
    if room is None:
        return wanted, ""
    per_worker = max(1, _BATCHES_PER_WORKER * batch_bytes)
    fitting = max(0, int(room * _USABLE_FRACTION / processes) // per_worker)
    if fitting >= wanted:
        return wanted, ""
    return fitting, (
        f"/dev/shm has room for {fitting} reading processes of the {wanted} wanted "
        f"({room / 2**20:,.0f} MiB free, {per_worker / 2**20:,.0f} MiB each). "
        "In a container, start it with a larger --shm-size."
    )


def shared_memory_needed_bytes(workers: int, batch_bytes: int, processes: int = 1) -> int:
    """Return the room in ``/dev/shm`` that lets so many processes read.

    Args:
        workers: Of each training process.
        batch_bytes: As in ``choose_workers``, which takes no worker away where there is so much.
        processes: That train on this machine.
    """
    return math.ceil(workers * _BATCHES_PER_WORKER * batch_bytes * processes / _USABLE_FRACTION)


def require_device_name(name: str) -> None:
    """Refuse what can be no device on any machine.

    Raises:
        ParameterParsingError: ``name`` is none of the words that ``choose_compute`` takes.
    """
    if name == "auto":
        return
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdigit()) or name == "cpu:":
        raise ParameterParsingError(
            f'device is "{name}", but must be auto, cpu, cuda or cuda:N.',
            hint="The default, auto, takes a GPU if there is one.",
            details={"parameter": "device", "value": name},
        )


def _choose_device(name: str) -> torch.device:
    require_device_name(name)
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, number = name.partition(":")
    if kind == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise EnvironmentUnsuitableError(
            f'device is "{name}", but torch {torch.__version__} sees no GPU on this machine.',
            hint="Use --device cpu, or ask 'imageloom doctor' what the GPU lacks.",
            reason="no-gpu",
        )
    count = torch.cuda.device_count()
    if int(number or 0) >= count:
        raise LessThanOrEqualToError(
            f'device is "{name}", but this machine has {count} GPUs, numbered from 0.',
            hint=f"Use at most cuda:{count - 1}.",
            details={"parameter": "device", "value": name, "gpus": count},
        )
    return torch.device(name)
